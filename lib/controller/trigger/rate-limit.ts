/** A caller that has not asked for so long, in milliseconds, is forgotten: its allowance is full again. */
const FORGET_MS = 60_000;

/** How much a caller may ask for: so much at once as fills up in this time. */
const BURST_SECONDS = 2;

interface Allowance {
  left: number;
  at: number;
}

/** Lets each caller ask for so much a second, and twice as much at once. Pure: the time comes in. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #callers = new Map<string, Allowance>();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#burst = Math.max(1, perSecond * BURST_SECONDS);
  }

  /** Takes one request of a caller; the seconds that it is to wait when it has none left. */
  take(caller: string, now: number): number | undefined {
    const known = this.#callers.get(caller) ?? { left: this.#burst, at: now };
    const left = Math.min(this.#burst, known.left + ((now - known.at) / 1000) * this.#perSecond);
    // The one that asked last stands last.
    this.#callers.delete(caller);
    this.#forget(now);
    const allowed = left >= 1;
    this.#callers.set(caller, { left: allowed ? left - 1 : left, at: now });
    return allowed ? undefined : Math.max(1, Math.ceil((1 - left) / this.#perSecond));
  }

  #forget(now: number): void {
    for (const [caller, { at }] of this.#callers) {
      if (now - at < Math.max(FORGET_MS, BURST_SECONDS * 1000)) return;
      this.#callers.delete(caller);
    }
  }
}
