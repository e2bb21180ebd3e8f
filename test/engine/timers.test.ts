import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Timers } from '../../lib/engine/timers.ts';

describe('timers', () => {
  it('give keys in the order of their times, then of the keys', () => {
    const timers = new Timers();
    for (const [key, at] of [
      [3, 10],
      [1, 20],
      [2, 10],
    ] as const)
      timers.set(key, at);
    expect(timers.next()).toBe(10);
    expect([timers.take(15), timers.take(15), timers.take(15), timers.take(20), timers.take(20)]).toEqual([
      2,
      3,
      undefined,
      1,
      undefined,
    ]);
  });

  it('behave as a sorted list, whatever is set, moved and removed', () => {
    const action = fc.oneof(
      fc.record({ key: fc.nat(20), at: fc.option(fc.nat(50), { nil: undefined }) }),
      fc.record({ take: fc.nat(50) }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 400 }), (actions) => {
        const timers = new Timers();
        const model = new Map<number, number>();
        const first = () => [...model].sort(([a, at], [b, bt]) => at - bt || a - b)[0];
        for (const action of actions) {
          if ('take' in action) {
            const expected = first();
            const due = expected !== undefined && expected[1] <= action.take ? expected[0] : undefined;
            expect(timers.take(action.take)).toBe(due);
            if (due !== undefined) model.delete(due);
          } else {
            timers.set(action.key, action.at);
            if (action.at === undefined) model.delete(action.key);
            else model.set(action.key, action.at);
          }
          expect(timers.next()).toBe(first()?.[1]);
          expect(timers.size).toBe(model.size);
          expect([...timers.keys()].sort()).toEqual([...model.keys()].sort());
        }
      }),
    );
  });
});
