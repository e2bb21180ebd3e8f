import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Coalescer } from '../../lib/controller/coalescer.ts';
import { FakeClock } from './fake-clock.ts';

function coalescer(work: (call: number) => Promise<void>, gapMs = 100) {
  const clock = new FakeClock();
  const abort = new AbortController();
  const failures: unknown[] = [];
  const times: number[] = [];
  const made = new Coalescer({
    work: () => work(times.push(clock.monotonic())),
    gapMs,
    clock,
    signal: abort.signal,
    onFailure: (error) => failures.push(error),
  });
  return { coalescer: made, clock, abort, failures, times };
}

describe('a coalescer', () => {
  it('works at once, then not before the gap is over, however often it is asked', async () => {
    const { coalescer: c, clock, times } = coalescer(async () => {});
    for (let ask = 0; ask < 50; ask++) {
      c.request();
      await clock.advance(10);
    }
    expect(times).toEqual([0, 100, 200, 300, 400, 500]);
  });

  it('never works twice at a time, and again for what was asked meanwhile', async () => {
    const first = Promise.withResolvers<void>();
    let running = 0;
    const {
      coalescer: c,
      clock,
      times,
    } = coalescer(async (call) => {
      expect(++running).toBe(1);
      if (call === 1) await first.promise;
      running--;
    });
    c.request();
    await clock.advance(500);
    c.request();
    await clock.advance(500);
    expect(times).toHaveLength(1);
    first.resolve();
    await clock.advance(0);
    expect(times).toHaveLength(2);
  });

  it('does not wait for the gap when it is flushed, also while it works', async () => {
    const { coalescer: c, clock, times } = coalescer(async () => void (await setImmediate()));
    c.request();
    await clock.advance(0);
    c.request();
    await c.flush();
    expect(times).toEqual([0, 0]);
    c.request();
    const flushed = c.flush();
    c.request();
    await flushed;
    expect(times).toHaveLength(3);
    await c.flush();
  });

  it('says once that its work failed, and does no more', async () => {
    const { coalescer: c, clock, failures, times } = coalescer(() => Promise.reject(new Error('no')));
    c.request();
    await clock.advance(1000);
    c.request();
    await clock.advance(1000);
    await c.flush();
    expect(failures).toEqual([new Error('no')]);
    expect(times).toHaveLength(1);
  });

  it('does nothing after its signal', async () => {
    const { coalescer: c, clock, abort, times } = coalescer(async () => {});
    c.request();
    await clock.advance(0);
    c.request();
    abort.abort();
    await clock.advance(1000);
    expect(times).toHaveLength(1);
  });
});
