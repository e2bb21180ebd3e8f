import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../kube/clock.ts';

/** How a {@link Coalescer} works. */
export interface CoalescerOptions {
  /** Does all that has gathered. It must not reject unless nothing more is to be done. */
  readonly work: () => Promise<void>;
  /** Between the beginnings of two calls of `work`, in milliseconds. */
  readonly gapMs: number;
  readonly clock: Clock;
  /** Ends it; work under way is not waited for. */
  readonly signal: AbortSignal;
  /** Called once when `work` has rejected; it is not called again. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Makes one request of many reasons to send it: never two at a time, and not more often than every `gapMs`. The first goes
 * at once; whoever cannot wait flushes.
 */
export class Coalescer {
  readonly #options: CoalescerOptions;
  #wanted = false;
  #running: Promise<void> | undefined;
  #hurry = new AbortController();
  #flushers = 0;
  #failed = false;

  constructor(options: CoalescerOptions) {
    this.#options = options;
  }

  /** There is something to do. */
  request(): void {
    this.#wanted = true;
    this.#running ??= this.#run();
  }

  /** Resolves when everything asked for up to now is done, without waiting for the gap. */
  async flush(): Promise<void> {
    this.#flushers++;
    this.#hurry.abort();
    while (this.#running) await this.#running;
    this.#flushers--;
  }

  async #run(): Promise<void> {
    const { work, gapMs, clock, signal, onFailure } = this.#options;
    try {
      // What else happens in this moment is served by the same call; and requests that steps wait for go first.
      await setImmediate();
      while (this.#wanted && !signal.aborted && !this.#failed) {
        const startedAt = clock.monotonic();
        this.#wanted = false;
        await work();
        this.#hurry = new AbortController();
        const left = startedAt + gapMs - clock.monotonic();
        if (left <= 0 || this.#flushers > 0) continue;
        await clock.sleep(left, AbortSignal.any([signal, this.#hurry.signal])).catch(() => undefined);
      }
    } catch (error) {
      this.#failed = true;
      if (!signal.aborted) onFailure(error);
    } finally {
      this.#running = undefined;
    }
  }
}
