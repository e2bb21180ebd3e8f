import type { Duration } from 'cdk8s';
import type { FailureRule, RetryPolicy } from '../lib/graph/retries.ts';
import { resourceRequirements, type Resources } from '../lib/pods/settings/resources.ts';
import type { JsonObject } from '../lib/values/json.ts';

/**
 * How often and when an attempt that failed by its own doing is tried again. Failures of the platform have a budget of
 * their own, and nothing said here is about them.
 *
 * @example
 * retries: {
 *   limit: 5,
 *   delays: [Duration.seconds(10), Duration.minutes(5)],
 *   when: [{ exitCodes: [75] }, { reasons: ['OOMKilled'] }, { message: 'connection reset' }],
 *   resourcesAfterOOM: (kills) => ({ limits: { memory: `${4 * 2 ** kills}Gi` } }),
 * }
 */
export type Retries = RetryBudget & (GrowingDelay | DelayList);

/** What a plan or run says for all of its steps: what an attempt asks for after it was killed is for each step to say. */
export type RunRetries = Omit<RetryBudget, 'resourcesAfterOOM'> &
  (GrowingDelay | DelayList) & { readonly resourcesAfterOOM?: never };

/** What retries have whichever way their waits are given. */
export interface RetryBudget {
  /** Attempts after the first. */
  readonly limit: number;
  /** Share of the wait, 0 to 1, that may be taken off so that many runs do not retry at once. @default 0.1 */
  readonly jitter?: number;
  /** From when the first attempt was asked for; once it is over, no retry begins. What runs then goes on. @default no limit */
  readonly maxElapsed?: Duration;
  /** Only failures that this rule fits, or one of several, are tried again. @default all */
  readonly when?: FailureRule | readonly FailureRule[];
  /** Failures that this rule fits, or one of several, are not tried again, also if `when` fits them. @default none */
  readonly unless?: FailureRule | readonly FailureRule[];
  /**
   * What the main container asks for once attempts of the step were killed for want of memory, as a function of how many
   * were, from 1. It is merged by resource over what the step asks for otherwise. Called at synth. @default the same as before
   */
  readonly resourcesAfterOOM?: (kills: number) => Resources;
}

/** A wait that grows: `delay * factor^(n-1)` before the n-th retry, at most `maxDelay`. */
export interface GrowingDelay {
  /** Wait before the second attempt. @default none */
  readonly delay?: Duration;
  /** What the wait is multiplied by for each further attempt. @default 2 */
  readonly factor?: number;
  /** Longest wait. @default one hour */
  readonly maxDelay?: Duration;
  readonly delays?: never;
}

/** Waits one by one. */
export interface DelayList {
  /** Wait before the first retry, the second, and so on; the last one repeats. */
  readonly delays: readonly Duration[];
  readonly delay?: never;
  readonly factor?: never;
  readonly maxDelay?: never;
}

/** Beyond so many the resources stay the same: doubling is past all memory there is by then. */
const MOST_GROWTH = 50;

/** Retries as the graph carries them. */
export function retryPolicy(retries: number | Retries | RunRetries | undefined): RetryPolicy | undefined {
  if (retries === undefined) return undefined;
  if (typeof retries === 'number') return { limit: retries };
  const { limit, delay, delays, factor, maxDelay, jitter, maxElapsed, when, unless } = retries;
  const grown = resourcesAfterOOM(retries);
  return {
    limit,
    ...(delay && { delaySeconds: inSeconds(delay) }),
    ...(delays && { delaysSeconds: delays.map(inSeconds) }),
    ...(factor !== undefined && { factor }),
    ...(maxDelay && { maxDelaySeconds: inSeconds(maxDelay) }),
    ...(jitter !== undefined && { jitter }),
    ...(maxElapsed && { maxElapsedSeconds: inSeconds(maxElapsed) }),
    ...(when !== undefined && { when: [when].flat() as readonly FailureRule[] }),
    ...(unless !== undefined && { unless: [unless].flat() as readonly FailureRule[] }),
    ...(grown.length > 0 && { resourcesAfterOOM: grown }),
  };
}

/** The resources after one kill, two, and so on; the last holds for more. */
export function resourcesAfterOOM(retries: number | Retries | RunRetries | undefined): readonly JsonObject[] {
  if (typeof retries !== 'object' || retries.resourcesAfterOOM === undefined) return [];
  // The limit may be none; that is told elsewhere.
  const count = Math.min(Math.max(1, Math.trunc(retries.limit) || 1), MOST_GROWTH);
  return Array.from(
    { length: count },
    (_, index) => resourceRequirements(retries.resourcesAfterOOM!(index + 1)) as JsonObject,
  );
}

function inSeconds(duration: Duration): number {
  return duration.toMilliseconds() / 1000;
}
