import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodePlanRecord,
  encodePlanRecord,
  KEPT_SKIPS,
  skipReasons,
  withSkipped,
  type SkippedRun,
} from '../../lib/graph/plan-record.ts';

const skipped = (minute: number): SkippedRun => ({
  name: `p-${minute}`,
  time: Date.UTC(2026, 0, 1, 0, minute),
  reason: 'RunGoesOn',
  message: 'p-0 still goes on',
});

describe('the record of a plan', () => {
  it('is read as it was written', () => {
    const run = fc.record({
      name: fc.string(),
      time: fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000),
      reason: fc.constantFrom(...skipReasons),
      message: fc.string(),
    });
    const late = fc.dictionary(
      fc.stringMatching(/^[a-z]{1,9}$/),
      run.map(({ time }) => time),
      { minKeys: 1 },
    );
    const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
    const dealtWith = optional(fc.integer({ min: 0, max: 4e12 }));
    fc.assert(
      fc.property(fc.array(run), dealtWith, optional(late), (runs, through, told) => {
        const dealt = { ...(through !== undefined && { through, schedule: '@daily' }), ...(told && { late: told }) };
        const record = { ...dealt, skipped: runs };
        expect(decodePlanRecord(encodePlanRecord(record))).toEqual(record);
      }),
    );
  });

  it('keeps the last runs that were skipped, each once', () => {
    const runs = Array.from({ length: KEPT_SKIPS + 5 }, (_, minute) => skipped(minute));
    const record = withSkipped(withSkipped({ skipped: [] }, runs.toReversed()), runs.slice(-2));
    expect(record.skipped).toEqual(runs.slice(-KEPT_SKIPS));
  });

  it.each([
    [undefined, 0],
    ['often', 0],
    ['[]', 0],
    ['{"through":"2026-01-01T00:00:00Z"}', 0],
    ['{"skipped":[1,{"name":"p"},{"name":"p","time":"soon","reason":"RunGoesOn","message":""}]}', 0],
    ['{"skipped":[{"name":"p","time":"2026-01-01T00:00:00Z","reason":"Because","message":""}]}', 0],
    ['{"skipped":[{"name":"p","time":"2026-01-01T00:00:00Z","reason":"TooLate","message":""}],"through":1}', 1],
  ])('leaves out what anybody broke: %s', (text, count) => {
    const record = decodePlanRecord(text);
    expect([record.skipped.length, record.through]).toEqual([count, undefined]);
  });
});
