import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCron } from '../../lib/values/cron.ts';
import { unionCron } from '../../lib/values/cron-union.ts';
import { nextTimes } from '../../lib/values/cron-times.ts';
import { TimeZone } from '../../lib/values/time-zone.ts';

const utc = new TimeZone('UTC');
const WEEK = 7 * 24 * 3_600_000;

function timesOf(expression: string): readonly number[] {
  const read = parseCron(expression);
  if ('problem' in read) throw new Error(read.problem);
  const from = Date.UTC(2026, 0, 28);
  const times: number[] = [];
  for (const time of nextTimes(read, from, utc)) {
    if (time > from + WEEK) break;
    times.push(time);
  }
  return times;
}

describe('several expressions as one', () => {
  it.each([
    [['0 6 * * *', '0 18 * * *'], '0 6,18 * * *', true],
    [['0 6 * * *', '30 18 * * *'], '0,30 6,18 * * *', false],
    [['0 * * * *', '*/30 * * * *'], '0,30 * * * *', true],
    [['0 6 * * mon', '0 6 * * 1'], '0 6 * * mon', true],
    [['0 6 * * mon', '0 6 * * tue'], '0 6 * * *', false],
    [['@hourly', '@daily'], '0 * * * *', true],
    [['* * * * *', '7 7 * * *'], '* * * * *', true],
    [['0 0 1 1 *', '0 0 1 7 *'], '0 0 1 1,7 *', true],
  ])('%j are %s, which is exact: %s', (expressions, expression, exact) =>
    expect(unionCron(expressions)).toEqual({ expression, exact }),
  );

  it('fire in it whenever one of them does, and at no other time where it is exact', () => {
    const field = (values: readonly string[]) => fc.constantFrom(...values);
    const cron = fc
      .tuple(
        field(['0', '30', '0,30', '*/20']),
        field(['*', '6', '6,18', '*/8']),
        field(['*', '*', '1', '31']),
        field(['*', '*', '1', '2']),
        field(['*', '*', 'mon', '6,0']),
      )
      .map((fields) => fields.join(' '));
    fc.assert(
      fc.property(fc.array(cron, { minLength: 1, maxLength: 3 }), (expressions) => {
        const { expression, exact } = unionCron(expressions);
        const each = [...new Set(expressions.flatMap(timesOf))].sort((a, b) => a - b);
        const joined = timesOf(expression);
        expect(exact ? joined : joined.filter((time) => each.includes(time))).toEqual(each);
      }),
      { numRuns: 60 },
    );
  });
});
