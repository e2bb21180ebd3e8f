import { describe, expect, it } from 'vitest';
import { mutate } from './mutate.ts';
import { mutations } from './mutations.ts';
import { isSharedRepeatable, judgeShared, randomSharedTrial } from './shared-trial.ts';
import { isRepeatable, judge, randomTrial } from './trial.ts';

describe('a random run on a cluster with faults', () => {
  it('comes to what it must, for 200 seeds', () => {
    const violations: string[] = [];
    for (let seed = 1; seed <= 200; seed++) {
      const { violation } = judge(randomTrial(seed));
      if (violation !== undefined) violations.push(`${violation}; npm run sim -- --seeds 1 --from ${seed}`);
    }
    expect(violations).toEqual([]);
  });

  it('goes the same way for the same seed', () => {
    for (let seed = 1; seed <= 10; seed++) expect(isRepeatable(randomTrial(seed))).toBe(true);
  });
});

describe('random runs that share locks, on a cluster with faults', () => {
  it('come to what they must, for 200 seeds', () => {
    const violations: string[] = [];
    for (let seed = 1; seed <= 200; seed++) {
      const violation = judgeShared(randomSharedTrial(seed));
      if (violation !== undefined) violations.push(`${violation}; npm run sim -- --seeds 1 --from ${seed}`);
    }
    expect(violations).toEqual([]);
  });

  it('go the same way for the same seed', () => {
    for (let seed = 1; seed <= 10; seed++) expect(isSharedRepeatable(randomSharedTrial(seed))).toBe(true);
  });
});

describe('an engine with a mistake', () => {
  it.each([
    'parallelism is one too many',
    'one retry too many',
    'finally does not wait for onFailure',
    'a lock is had by more than may have it',
    'a new shell gives out locks before all that is had is known',
  ])('is noticed: %s', async (name) => {
    const mutation = mutations.find((one) => one.name === name)!;
    expect(await mutate(mutation, 1, 200)).toMatchObject({ outcome: 'noticed' });
  });

  it('that is none any more is told of', async () => {
    const mutation = { name: 'nothing', file: 'run.ts', find: 'no such text', replace: '' };
    await expect(mutate(mutation, 1, 1)).rejects.toThrow('"nothing" does not apply');
  });
});
