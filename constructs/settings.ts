import type { Duration } from 'cdk8s';
import type { IServiceAccount } from 'cdk8s-plus-28';

/** A duration in whole seconds, rounded up: a timeout of half a second is one of a second, not of none. */
export function seconds(duration: Duration): number {
  return Math.ceil(duration.toMilliseconds() / 1000);
}

/** A service account by name, or as the construct of cdk8s-plus. */
export type ServiceAccountLike = string | IServiceAccount;

export function serviceAccountName(account: ServiceAccountLike | undefined): string | undefined {
  return typeof account === 'object' ? account.name : account;
}
