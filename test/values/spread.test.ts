import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cronProblem } from '../../lib/values/cron.ts';
import { shiftCron, spreadOffset } from '../../lib/values/spread.ts';

const DAY = 1440;

/** The minutes of a day at which an expression of numbers, lists, ranges and steps fires, by the rule of each single minute. */
function firesAt(expression: string): number[] {
  const [minute, hour] = expression.split(' ') as [string, string];
  const has = (field: string, value: number, max: number) =>
    field.split(',').some((part) => {
      const [range, step = '1'] = part.split('/') as [string, string?];
      const [low, high = part.includes('/') ? String(max) : low] = (range === '*' ? `0-${max}` : range).split('-') as [
        string,
        string?,
      ];
      return value >= Number(low) && value <= Number(high) && (value - Number(low)) % Number(step) === 0;
    });
  return Array.from({ length: DAY }, (_, time) => time).filter(
    (time) => has(minute, time % 60, 59) && has(hour, Math.floor(time / 60), 23),
  );
}

const field = (max: number) =>
  fc.oneof(
    fc.constant('*'),
    fc.integer({ min: 0, max }).map(String),
    fc.integer({ min: 1, max }).map((step) => `*/${step}`),
    fc.uniqueArray(fc.integer({ min: 0, max }), { minLength: 1, maxLength: 3 }).map((values) => values.join(',')),
    fc
      .tuple(fc.integer({ min: 0, max: max - 1 }), fc.integer({ min: 1, max: 5 }))
      .map(([low, step]) => `${low}/${step}`),
    fc.integer({ min: 0, max: max - 2 }).map((low) => `${low}-${low + 2}`),
  );

describe('spreading a schedule', () => {
  it.each([
    ['0 */6 * * *', 20, 30, '20 */6 * * *'],
    ['0 */6 * * *', 75, 120, '15 1,7,13,19 * * *'],
    ['30 23 * * *', 45, 60, '15 0 * * *'],
    ['@hourly', 12, 30, '12 * * * *'],
    ['@weekly', 12, 30, '12 0 * * 0'],
    ['*/15 * * * *', 7, 15, '7,22,37,52 * * * *'],
    ['0,30 2 * * 1-5', 10, 30, '10,40 2 * * 1-5'],
  ])('moves %s by %i minutes of %i to %s', (expression, offset, window, moved) => {
    expect(shiftCron(expression, offset, window)).toEqual({ expression: moved });
  });

  it.each([
    ['* * * * *', 30, 'fires every minute'],
    ['@every 1h', 30, 'has no minute'],
    ['0,45 */6 * * *', 30, 'several times in some hours'],
    ['30 23 * * 1', 60, 'on some days only'],
  ])('refuses %s over %i minutes: it %s', (expression, window, why) => {
    expect(shiftCron(expression, 0, window)).toEqual({ problem: expect.stringContaining(why) as string });
  });

  it('fires as often as before, each time so much later, or is refused for every offset of the window', () => {
    fc.assert(
      fc.property(
        field(59),
        field(23),
        fc.integer({ min: 1, max: DAY }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (minute, hour, window, part) => {
          const expression = `${minute} ${hour} * * *`;
          const offset = Math.floor(part * window);
          const moved = shiftCron(expression, offset, window);
          if ('problem' in moved) return void expect(shiftCron(expression, 0, window)).toEqual(moved);
          expect(cronProblem(moved.expression)).toBeUndefined();
          const later = firesAt(expression).map((time) => (time + offset) % DAY);
          expect(firesAt(moved.expression)).toEqual(later.sort((a, b) => a - b));
        },
      ),
    );
  });

  it('lies within the window, by the key alone, and evenly', () => {
    const offsets = Array.from({ length: 1000 }, (_, index) => spreadOffset(`site-${index}`, 30));
    expect(Math.min(...offsets)).toBe(0);
    expect(Math.max(...offsets)).toBe(29);
    const fullest = Math.max(
      ...Map.groupBy(offsets, (offset) => offset)
        .values()
        .map(({ length }) => length),
    );
    expect(fullest).toBeLessThan(60);
    expect(spreadOffset('site-a', 30)).toBe(spreadOffset('site-a', 30));
  });
});
