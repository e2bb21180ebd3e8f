import type { Duration } from 'cdk8s';
import type { IServiceAccount } from 'cdk8s-plus-28';
import type { RetryPolicy } from '../lib/graph/graph.ts';
import type { Retries } from './task.ts';

/** A duration in whole seconds, rounded up: a timeout of half a second is one of a second, not of none. */
export function seconds(duration: Duration): number {
  return Math.ceil(duration.toMilliseconds() / 1000);
}

export function retryPolicy(retries: number | Retries | undefined): RetryPolicy | undefined {
  if (retries === undefined) return undefined;
  if (typeof retries === 'number') return { limit: retries };
  const { limit, delay, factor, maxDelay, jitter } = retries;
  return {
    limit,
    ...(delay && { delaySeconds: delay.toMilliseconds() / 1000 }),
    ...(factor !== undefined && { factor }),
    ...(maxDelay && { maxDelaySeconds: maxDelay.toMilliseconds() / 1000 }),
    ...(jitter !== undefined && { jitter }),
  };
}

/** A service account by name, or as the construct of cdk8s-plus. */
export type ServiceAccountLike = string | IServiceAccount;

export function serviceAccountName(account: ServiceAccountLike | undefined): string | undefined {
  return typeof account === 'object' ? account.name : account;
}
