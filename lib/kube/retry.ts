import { systemClock, type Clock } from './clock.ts';
import { ConnectionError, KubeError } from './errors.ts';

/** How often and how long a failed request is tried again. */
export interface RetryPolicy {
  /** Tries in all; 1 means never again. @default 6 */
  readonly attempts: number;
  /** Delay before the second try, in milliseconds; doubled from then on. @default 100 */
  readonly baseDelayMs: number;
  /** @default 5000 */
  readonly maxDelayMs: number;
  /** No try starts later than this after the first, in milliseconds. @default 30000 */
  readonly maxElapsedMs: number;
}

/** Enough for a rolling restart of the API server behind a load balancer; short enough for a command line. */
export const defaultRetryPolicy: RetryPolicy = {
  attempts: 6,
  baseDelayMs: 100,
  maxDelayMs: 5_000,
  maxElapsedMs: 30_000,
};

/** Where delays come from. */
export interface RetryEnvironment {
  readonly clock: Clock;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
}

/** The machine's clock and randomness. */
export const systemEnvironment: RetryEnvironment = { clock: systemClock, random: Math.random };

/**
 * The delay before try `attempt + 1`, in milliseconds: exponential, between half and the whole of the step,
 * so that clients which failed together do not come back together.
 */
export function backoffDelay(
  policy: Pick<RetryPolicy, 'baseDelayMs' | 'maxDelayMs'>,
  attempt: number,
  random: number,
): number {
  const step = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (attempt - 1));
  return step / 2 + (step / 2) * random;
}

/**
 * Whether to try again after `attempt` tries, and after how many milliseconds; undefined means give up.
 *
 * @param repeatable the request changes nothing the second time: it only reads, or names the version, uid or
 *   object it is about
 */
export function retryDelay(
  error: unknown,
  attempt: number,
  elapsedMs: number,
  repeatable: boolean,
  policy: RetryPolicy,
  random: number,
): number | undefined {
  if (attempt >= policy.attempts) return undefined;
  const delay = delayFor(error, repeatable, backoffDelay(policy, attempt, random), random);
  return delay === undefined || elapsedMs + delay > policy.maxElapsedMs ? undefined : delay;
}

function delayFor(error: unknown, repeatable: boolean, backoff: number, random: number): number | undefined {
  if (error instanceof ConnectionError) {
    if (error.problem === 'untrusted' || error.problem === 'unknown-host') return undefined;
    return repeatable || !error.maybeSent ? backoff : undefined;
  }
  if (!(error instanceof KubeError)) return undefined;
  const overloaded = error.code === 429;
  // client-go repeats every verb on 429 and on a 5xx that carries Retry-After (rest/with_retry.go,
  // checkWait): with that header the server says it did not act on the request.
  if (error.retryAfterSeconds !== undefined && (overloaded || error.code >= 500)) {
    // Up to a tenth more, or all who were sent away come back in the same instant.
    return error.retryAfterSeconds * 1000 * (1 + random / 10);
  }
  const gateway = error.code === 502 || error.code === 503 || error.code === 504;
  return overloaded || (gateway && repeatable) ? backoff : undefined;
}

/** What {@link withRetries} needs to know about a request. */
export interface RetryOptions {
  /** See {@link retryDelay}. */
  readonly repeatable: boolean;
  /** @default {@link defaultRetryPolicy} */
  readonly policy?: RetryPolicy;
  /** @default {@link systemEnvironment} */
  readonly environment?: RetryEnvironment;
  /** Ends the waiting at once, with its reason. */
  readonly signal?: AbortSignal;
}

/** Runs a request until it succeeds or {@link retryDelay} gives up; then its last error is thrown. */
export async function withRetries<T>(request: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { repeatable, signal, policy = defaultRetryPolicy, environment = systemEnvironment } = options;
  const { clock, random } = environment;
  const started = clock.monotonic();
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await request(attempt);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      const delay = retryDelay(error, attempt, clock.monotonic() - started, repeatable, policy, random());
      if (delay === undefined) throw error;
      await clock.sleep(delay, signal);
    }
  }
}
