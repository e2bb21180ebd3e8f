import type { RetryPolicy } from '../graph/graph.ts';
import { unitHash } from '../values/hash.ts';
import type { AttemptRecord } from './record.ts';

/** What the platform's own failures may cost a step, whatever its task allows for its own. */
export const systemRetries: RetryPolicy = { limit: 3, delaySeconds: 1, factor: 2, jitter: 0.5 };

/** The attempt that follows a failed one. */
export interface Retry {
  /** Counts from 1, within the budget. */
  readonly number: number;
  readonly limit: number;
  /** Milliseconds from the end of the failed attempt. */
  readonly wait: number;
}

/** Whether another attempt follows the last of these; the failure is charged to the budget of its kind. */
export function nextRetry(
  run: string,
  step: string,
  policy: RetryPolicy | undefined,
  attempts: readonly AttemptRecord[],
): Retry | undefined {
  const last = attempts.at(-1);
  const budget = last?.failure === 'system' ? systemRetries : last?.failure === 'user' ? policy : undefined;
  if (last === undefined || budget === undefined) return undefined;
  const number = attempts.filter((attempt) => attempt.failure === last.failure).length;
  if (number > budget.limit) return undefined;
  return { number, limit: budget.limit, wait: retryWait(budget, number, unitHash(`${run}/${step}/${last.number}`)) };
}

/** Whether the platform has failed a step so often that the next time would be the last. */
export function isLastChance(attempts: readonly AttemptRecord[]): boolean {
  return attempts.filter(({ failure }) => failure === 'system').length >= systemRetries.limit;
}

/** The wait before the n-th retry in whole milliseconds; `chance` is from 0 to 1. */
export function retryWait(policy: RetryPolicy, number: number, chance: number): number {
  const { delaySeconds = 0, factor = 2, maxDelaySeconds = 3600, jitter = 0.1 } = policy;
  // A delay of 0 stays 0, also where the factor's power is beyond what a number holds.
  const seconds = delaySeconds === 0 ? 0 : Math.min(delaySeconds * factor ** (number - 1), maxDelaySeconds);
  return Math.max(0, Math.round(seconds * 1000 * (1 - jitter * chance)));
}
