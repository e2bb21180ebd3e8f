import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backfills, isBackfilled } from '../../../lib/controller/schedules/backfills.ts';
import type { Job } from '../../../lib/controller/objects.ts';
import { annotations, labels, SCHEDULED_AT } from '../../../lib/graph/labels.ts';

const HOUR = 3_600_000;

function job(hour: number, turns: object | string = { concurrency: 1, order: 'oldest' }, backfill = 'january'): Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: `run-${hour}`,
      uid: `${backfill}-${hour}`,
      namespace: 'default',
      labels: { [labels.plan]: 'plan', [labels.backfill]: backfill },
      annotations: {
        [SCHEDULED_AT]: new Date(hour * HOUR).toISOString(),
        [annotations.backfill]: typeof turns === 'string' ? turns : JSON.stringify(turns),
      },
    },
  };
}

/** Plays a backfill to its end, with runs that are heard of and end in an order that does not matter; gives the hours as they began. */
function play(runs: readonly Job[], atOnce: number, end: (open: readonly Job[]) => Job): readonly number[] {
  const backfills = new Backfills(() => false);
  const begun: Job[] = [];
  const open = new Set<Job>();
  const consider = (each: Job): void => {
    if (open.has(each) || begun.includes(each) || !backfills.admits(each)) return;
    begun.push(each);
    open.add(each);
    expect(open.size).toBeLessThanOrEqual(atOnce);
  };
  for (const each of runs) backfills.put(each);
  for (const each of runs) consider(each);
  while (open.size > 0) {
    const ended = end([...open]);
    open.delete(ended);
    for (const next of backfills.remove(ended)) consider(next);
  }
  return begun.map(({ metadata }) => Date.parse(metadata.annotations![SCHEDULED_AT]!) / HOUR);
}

describe('the runs of a backfill', () => {
  it.each(['oldest', 'newest'] as const)('begin in order, so many at once, and all of them: the %s first', (order) =>
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 6 }),
        fc.infiniteStream(fc.nat()),
        (hours, concurrency, choices) => {
          const runs = hours.map((hour) => job(hour, { concurrency, order }));
          const choose = choices[Symbol.iterator]();
          const begun = play(runs, concurrency, (open) => open[choose.next().value! % open.length]!);
          const expected = hours.toSorted((a, b) => (order === 'oldest' ? a - b : b - a));
          // Those that may begin at once are considered in any order.
          expect(begun.slice(concurrency)).toEqual(expected.slice(concurrency));
          expect(begun.toSorted((a, b) => a - b)).toEqual(hours.toSorted((a, b) => a - b));
        },
      ),
    ),
  );

  it('do not wait for those of another backfill', () => {
    const backfills = new Backfills(() => false);
    const [first, second, other] = [job(1), job(2), job(1, undefined, 'february')];
    for (const each of [first, second, other]) backfills.put(each);
    expect([second, first, second, other].map((each) => backfills.admits(each))).toEqual([false, true, false, true]);
  });

  it('that went on under another controller count, whatever their Jobs say', () => {
    const running = job(2);
    const backfills = new Backfills((each) => each === running);
    const first = job(1);
    backfills.put(first);
    backfills.put(running);
    expect(backfills.admits(first)).toBe(false);
    expect(backfills.admits(running)).toBe(true);
    expect(backfills.remove(running)).toEqual([first]);
    expect(backfills.remove(running)).toEqual([]);
  });

  it('follow when somebody changes how many go on at once', () => {
    const backfills = new Backfills(() => false);
    const runs = [1, 2, 3].map((hour) => job(hour));
    for (const each of runs) backfills.put(each);
    expect(runs.map((each) => backfills.admits(each))).toEqual([true, false, false]);
    const second = job(2, { concurrency: 2, order: 'oldest' });
    backfills.put(second);
    expect(backfills.admits(second)).toBe(true);
  });

  it.each(['often', '{"concurrency":0}', '{"concurrency":"2"}', '[]'])(
    'go on one after the other where somebody broke the annotation: %s',
    (turns) => {
      const backfills = new Backfills(() => false);
      for (const hour of [1, 2]) backfills.put(job(hour, turns));
      expect([1, 2].map((hour) => backfills.admits(job(hour, turns)))).toEqual([true, false]);
    },
  );

  it('are told from others by label and annotation', () => {
    expect(isBackfilled(job(1))).toBe(true);
    expect(isBackfilled({ ...job(1), metadata: { ...job(1).metadata, annotations: {} } })).toBe(false);
  });
});
