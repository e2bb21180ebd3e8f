import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claimed, isFree, microTime, observe, released } from '../../lib/kube/lease-claim.ts';

const at = Date.parse('2026-01-02T03:04:05.678Z');

describe('a lease', () => {
  test('carries times with six fractional digits', () => {
    expect(microTime(at)).toBe('2026-01-02T03:04:05.678000Z');
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }), (date) =>
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(microTime(date.getTime())),
      ),
    );
  });

  test('counts a transition when the holder changes, and none at first or on renewal', () => {
    const first = claimed(undefined, 'a', 15_000, at);
    expect(first).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-02T03:04:05.678000Z',
      renewTime: '2026-01-02T03:04:05.678000Z',
      leaseTransitions: 0,
    });
    const renewed = claimed(first, 'a', 15_000, at + 2000);
    expect(renewed).toEqual({ ...first, renewTime: '2026-01-02T03:04:07.678000Z' });
    const taken = claimed(renewed, 'b', 15_000, at + 30_000);
    expect(taken).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1, acquireTime: taken.renewTime });
    const left = released(taken, at + 31_000);
    expect(left).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 1 });
    expect(claimed(left, 'c', 15_000, at + 32_000)).toMatchObject({ holderIdentity: 'c', leaseTransitions: 2 });
  });

  test('keeps fields it does not know', () => {
    expect(claimed({ strategy: 'OldestEmulationVersion' }, 'a', 15_000, at)).toMatchObject({
      strategy: 'OldestEmulationVersion',
    });
  });

  test('is free when nobody holds it, when it is ours, and after its duration without a change', () => {
    const spec = claimed(undefined, 'a', 15_000, at);
    const seen = observe(undefined, spec, 100);
    expect(isFree(seen, 'a', 100)).toBe(true);
    expect(isFree(seen, 'b', 100)).toBe(false);
    expect(isFree(seen, 'b', 15_099)).toBe(false);
    expect(isFree(seen, 'b', 15_100)).toBe(true);
    expect(isFree(observe(seen, released(spec, at), 200), 'b', 200)).toBe(true);
  });

  test('is judged by when we saw it change, not by the times in it', () => {
    const longAgo = claimed(undefined, 'a', 15_000, 0);
    const seen = observe(undefined, longAgo, 0);
    const same = observe(seen, { ...longAgo }, 14_000);
    expect(same.seenAt).toBe(0);
    const renewed = observe(same, claimed(longAgo, 'a', 15_000, 1), 14_000);
    expect(renewed.seenAt).toBe(14_000);
    expect(isFree(renewed, 'b', 28_999)).toBe(false);
  });
});
