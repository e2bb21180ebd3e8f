import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateLimit } from '../../../lib/controller/trigger/rate-limit.ts';

describe('a rate limit', () => {
  it('lets each caller ask twice as much at once as a second allows, and says how long to wait', () => {
    const limit = new RateLimit(2);
    const times = Array.from({ length: 5 }, () => limit.take('a', 0));
    expect(times).toEqual([undefined, undefined, undefined, undefined, 1]);
    expect(limit.take('b', 0)).toBeUndefined();
    expect(limit.take('a', 499)).toBe(1);
    expect(limit.take('a', 500)).toBeUndefined();
    expect(limit.take('a', 500)).toBe(1);
  });

  it('never lets more through than its rate and its burst, whoever asks when', () => {
    const asks = fc.array(fc.record({ after: fc.nat(3_000), caller: fc.constantFrom('a', 'b') }), { maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), asks, (perSecond, all) => {
        const limit = new RateLimit(perSecond);
        const passed = new Map<string, number[]>();
        let now = 0;
        for (const { after, caller } of all) {
          now += after;
          if (limit.take(caller, now) === undefined) passed.set(caller, [...(passed.get(caller) ?? []), now]);
        }
        for (const times of passed.values())
          for (const [index, from] of times.entries())
            for (const [count, to] of times.slice(index).entries())
              expect(count + 1).toBeLessThanOrEqual(2 * perSecond + ((to - from) / 1000) * perSecond + 1e-6);
      }),
    );
  });
});
