import { setImmediate } from 'node:timers/promises';
import { orAbort, type Clock } from '../../lib/kube/clock.ts';

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  /** What was slept, in the order in which it began, in milliseconds. */
  readonly slept: number[] = [];
  /** Milliseconds by which this machine's calendar is off; its pace is right. */
  skew = 0;
  readonly #start = Date.parse('2026-01-02T03:04:05Z');
  readonly #sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();
  #elapsed = 0;

  now(): number {
    return this.#start + this.#elapsed + this.skew;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.slept.push(ms);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { until: this.#elapsed + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      const onAbort = (): void => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Lets time pass; whoever wakes on the way does its work at its own moment. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await settle();
    for (;;) {
      const [next] = [...this.#sleepers].toSorted((a, b) => a.until - b.until);
      if (!next || next.until > end) break;
      this.#sleepers.delete(next);
      this.#elapsed = Math.max(this.#elapsed, next.until);
      next.wake();
      await settle();
    }
    this.#elapsed = end;
  }
}

/** Lets everything run that only waits for promises. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await setImmediate();
}

/** A clock on which a sleep is over at once, and has lasted as long as it should. One of a minute or more never ends. */
export class HastyClock implements Clock {
  readonly slept: number[] = [];
  #elapsed = 0;

  now(): number {
    return this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms >= 60_000) return orAbort(new Promise(() => undefined), signal);
    this.slept.push(ms);
    await setImmediate();
    signal?.throwIfAborted();
    this.#elapsed += ms;
  }
}
