import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retryWait } from '../../lib/engine/retries.ts';
import type { RetryPolicy } from '../../lib/graph/retries.ts';
import { begin, graphOf, T0, type FailureSketch, type StepSketch } from './scenario.ts';

const evicted: FailureSketch = { failure: 'system', reason: 'Evicted' };
const oom: FailureSketch = { reason: 'OOMKilled', exitCode: 137, message: 'killed for using more memory' };
const withRetries = (retries: RetryPolicy, more: StepSketch = {}) => begin(graphOf({ a: { retries, ...more } }));

describe('a list of delays', () => {
  it('gives the waits one by one, and the last for good', () => {
    const run = withRetries({ limit: 4, delaysSeconds: [5, 60, 300], jitter: 0 });
    for (const wait of [5, 60, 300, 300]) {
      run.fail('a');
      expect(run.run.step('a').retryAt).toBe(run.now + wait * 1000);
      expect(run.after(wait).asked).toHaveLength(1);
    }
    expect(run.fail('a').phase('a')).toBe('Failed/ExitCode');
  });

  it('is a wait of the list less its jitter, whatever the attempt', () => {
    const delays = fc.array(fc.nat(100_000), { minLength: 1 });
    const chance = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(delays, fc.integer({ min: 1, max: 200 }), chance, (delaysSeconds, number, chance) => {
        const full = delaysSeconds[Math.min(number, delaysSeconds.length) - 1]! * 1000;
        expect(retryWait({ limit: 1, delaysSeconds, jitter: 0 }, number, chance)).toBe(full);
        expect(retryWait({ limit: 1, delaysSeconds }, number, chance)).toBeGreaterThanOrEqual(Math.floor(full * 0.9));
      }),
    );
  });
});

describe('the rules of retries', () => {
  const busy: FailureSketch = { exitCode: 75, message: 'exit code 75: the store is busy' };
  const wrong: FailureSketch = { exitCode: 64, message: 'exit code 64: usage' };
  const cases: [what: string, rules: Omit<RetryPolicy, 'limit'>, failure: FailureSketch, again: boolean][] = [
    ['an exit code that is named', { when: [{ exitCodes: [1, 75] }] }, busy, true],
    ['one that is not', { when: [{ exitCodes: [1, 75] }] }, wrong, false],
    ['a reason that is named', { when: [{ reasons: ['OOMKilled'] }] }, oom, true],
    ['one that is not', { when: [{ reasons: ['OOMKilled'] }] }, busy, false],
    ['a message with the text', { when: [{ message: 'store is busy' }] }, busy, true],
    ['one in other letters', { when: [{ message: 'Store is busy' }] }, busy, false],
    ['text that would be a pattern', { when: [{ message: '.*' }] }, busy, false],
    ['all that a rule says', { when: [{ exitCodes: [75], message: 'busy' }] }, busy, true],
    ['half of what a rule says', { when: [{ exitCodes: [75], reasons: ['OOMKilled'] }] }, busy, false],
    ['one rule of several', { when: [{ reasons: ['OOMKilled'] }, { message: 'busy' }] }, busy, true],
    ['what is left out', { unless: [{ exitCodes: [64] }] }, wrong, false],
    ['what is not left out', { unless: [{ exitCodes: [64] }] }, busy, true],
    ['what is named and left out', { when: [{ exitCodes: [64] }], unless: [{ message: 'usage' }] }, wrong, false],
    ['no exit code', { when: [{ exitCodes: [1] }] }, { reason: 'OutputsMissing', exitCode: undefined }, false],
  ];
  it.each(cases)('decide about %s', (_, rules, failure, again) => {
    const run = withRetries({ limit: 1, ...rules }).see('a', {
      kind: 'failed',
      finishedAt: T0,
      failure: 'user',
      reason: 'ExitCode',
      ...failure,
    } as never);
    expect(run.asked).toEqual(again ? ['start a 2'] : []);
    if (again) return;
    expect(run.run.step('a')).toMatchObject({ phase: 'Failed', attempts: [{ failure: 'user' }] });
    expect(run.run.step('a').message).toMatch(/; its retries are not for such a failure$/);
  });

  it('say nothing of failures of the platform', () => {
    const run = withRetries({ limit: 1, when: [{ exitCodes: [75] }] });
    expect(run.fail('a', evicted).phase('a')).toBe('Waiting/Backoff');
  });

  it('are not what ends a step whose retries are spent', () => {
    const run = withRetries({ limit: 0, unless: [{ exitCodes: [1] }] }).fail('a');
    expect(run.run.step('a').message).toBe('exit code 1');
  });
});

describe('the total time of retries', () => {
  const retries = { limit: 9, delaySeconds: 20, factor: 1, jitter: 0, maxElapsedSeconds: 60 };
  const tooLate = 'no retry begins 60 s after the first attempt';

  it('counts from the first attempt: a retry that would come later is not waited for', () => {
    const run = withRetries(retries);
    expect(run.after(10).fail('a').after(20).asked).toEqual(['start a 2']);
    run.after(20).fail('a');
    expect(run.run.step('a')).toMatchObject({
      phase: 'Failed',
      reason: 'ExitCode',
      message: `exit code 1 (2 attempts); ${tooLate}`,
    });
  });

  it('lets the attempt that runs go on', () => {
    const run = withRetries(retries).runs('a').after(3600);
    expect(run.asked).toEqual([]);
    expect(run.succeed('a').end).toBe('Succeeded/Completed');
  });

  it('ends a step that waits for room to be tried again', () => {
    const steps = { a: { retries: { ...retries, delaySeconds: 0 } }, b: {} };
    const run = begin(graphOf(steps, { failurePolicy: 'RunIndependent' }), { parallelism: 1 });
    run.now += 1000;
    expect(run.fail('a').asked).toEqual(['start b 1']);
    expect(run.decision!.wakeAt).toBe(T0 + 60_000);
    expect(run.after(59).phase('a')).toBe('Failed/ExitCode');
    expect(run.run.step('a').message).toBe(`exit code 1; ${tooLate}`);
  });

  it('does not bind the platform’s failures', () => {
    const run = withRetries(retries).after(3600).fail('a', evicted);
    expect(run.phase('a')).toBe('Waiting/Backoff');
    expect(run.after(5).asked).toEqual(['start a 2']);
  });
});

describe('the budget for failures of the platform', () => {
  it.each([0, 1, 5])('may be set to %i', (systemRetries) => {
    const run = begin(graphOf({ a: { systemRetries } }));
    for (let failures = 0; failures < systemRetries; failures++) {
      expect(run.fail('a', evicted).run.explain('a', run.now)).toMatch(`retry ${failures + 1} of ${systemRetries} in `);
      run.after(60);
    }
    expect(run.fail('a', evicted).phase('a')).toBe('Failed/Evicted');
  });

  it('decides until when spot nodes are asked for', () => {
    const spot = { value: { spec: { nodeSelector: { pool: 'spot' } } } };
    const run = begin(graphOf({ a: { spot, systemRetries: 1 } }));
    expect(run.commands[0]).toHaveProperty('pod');
    expect(run.fail('a', evicted).after(60).commands[0]).not.toHaveProperty('pod');
  });
});

describe('an attempt after others were killed for want of memory', () => {
  const resourcesAfterOOM = [{ limits: { memory: '8Gi' } }, { limits: { memory: '16Gi' } }];
  const main = (resources: object) => ({ spec: { containers: [{ name: 'main', resources }] } });
  const given = (run: ReturnType<typeof begin>) => run.commands.map((command) => 'pod' in command && command.pod);

  it.each([
    [['exit'], undefined],
    [['oom'], '8Gi'],
    [['oom', 'exit'], '8Gi'],
    [['oom', 'exit', 'oom'], '16Gi'],
    [['oom', 'oom', 'oom', 'oom'], '16Gi'],
  ])('asks for more by how many were: after %j %s', (failures, memory) => {
    const run = withRetries({ limit: 9, resourcesAfterOOM });
    for (const failure of failures) run.fail('a', failure === 'oom' ? oom : {});
    expect(given(run)).toEqual([memory === undefined ? false : main({ limits: { memory } })]);
  });

  it('keeps what values and spot nodes make of its pod', () => {
    const container = (fields: object) => ({
      fields: { spec: { fields: { containers: { list: [{ fields: { name: { value: 'main' }, ...fields } }] } } } },
    });
    const cpu = { fields: { limits: { fields: { cpu: { input: 'cpu' }, memory: { value: '2Gi' } } } } };
    const pod = container({ image: { input: 'image' }, resources: cpu });
    const graph = graphOf({ a: { pod, retries: { limit: 1, resourcesAfterOOM } } });
    const run = begin(graph, { inputs: { image: 'i:1', cpu: '4' } }).fail('a', oom);
    expect(given(run)).toEqual([
      {
        spec: {
          containers: [{ name: 'main', image: 'i:1', resources: { limits: { cpu: '4', memory: '8Gi' } } }],
        },
      },
    ]);
    const spot = { value: { spec: { nodeSelector: { pool: 'spot' } } } };
    const onSpot = withRetries({ limit: 1, resourcesAfterOOM }, { spot }).fail('a', oom);
    expect(given(onSpot)).toEqual([
      { spec: { nodeSelector: { pool: 'spot' }, ...main({ limits: { memory: '8Gi' } }).spec } },
    ]);
  });
});
