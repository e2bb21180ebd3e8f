/** Time, as everything in this folder takes it, so that tests need not wait. */
export interface Clock {
  /** Milliseconds since the epoch. For time stamps; it may jump. */
  now(): number;
  /** Milliseconds from an arbitrary start. For durations; it never jumps. */
  monotonic(): number;
  /** Resolves after `ms` milliseconds, or rejects at once with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Node takes a longer one for the shortest. */
const longestTimerMs = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(
        () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
        Math.min(ms, longestTimerMs),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};

/**
 * The promise, or a rejection with the signal's reason as soon as it is aborted. What the promise
 * does afterwards is ignored, so its maker must end its own work on the same signal.
 */
export function orAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** A controller that is aborted with a parent signal, too. Dispose of it, or the parent remembers it for ever. */
export class LinkedAbort extends AbortController implements Disposable {
  readonly #parent: AbortSignal | undefined;
  readonly #follow: () => void;

  constructor(parent: AbortSignal | undefined) {
    super();
    this.#parent = parent;
    this.#follow = () => this.abort(parent?.reason);
    if (parent?.aborted) this.#follow();
    else parent?.addEventListener('abort', this.#follow, { once: true });
  }

  /** Aborts with `reason` after some time, unless something else ends it before. */
  abortAfter(ms: number, clock: Clock, reason: () => unknown): void {
    clock.sleep(ms, this.signal).then(
      () => this.abort(reason()),
      () => undefined,
    );
  }

  [Symbol.dispose](): void {
    this.#parent?.removeEventListener('abort', this.#follow);
    this.abort(disposed);
  }
}

const disposed = new DOMException('The work is done', 'AbortError');
