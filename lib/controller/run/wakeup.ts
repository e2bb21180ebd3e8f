import type { Instant } from '../../engine/record.ts';
import type { Clock } from '../../kube/clock.ts';

/** The longest that Node's timers take, in milliseconds. */
const LONGEST_MS = 2 ** 31 - 1;

/** Calls when a time has come; only the last time that was set counts. */
export class Wakeup {
  readonly #clock: Clock;
  readonly #call: () => void;
  readonly #signal: AbortSignal;
  #at: Instant | undefined;
  #timer: AbortController | undefined;

  constructor(clock: Clock, call: () => void, signal: AbortSignal) {
    this.#clock = clock;
    this.#call = call;
    this.#signal = signal;
  }

  /** Sets the time, the first of several; without one, nothing is to be called. */
  at(...times: readonly (Instant | undefined)[]): void {
    const known = times.filter((time) => time !== undefined);
    const at = known.length === 0 ? undefined : Math.min(...known);
    if (at === this.#at) return;
    this.#at = at;
    this.#timer?.abort();
    this.#timer = undefined;
    if (at !== undefined) this.#sleep(at);
  }

  #sleep(at: Instant): void {
    const timer = new AbortController();
    this.#timer = timer;
    const wait = Math.min(LONGEST_MS, Math.max(0, at - this.#clock.now()));
    this.#clock.sleep(wait, AbortSignal.any([this.#signal, timer.signal])).then(
      () => {
        if (this.#timer !== timer) return;
        if (this.#clock.now() < at) return this.#sleep(at);
        this.#at = undefined;
        this.#timer = undefined;
        this.#call();
      },
      () => undefined,
    );
  }
}
