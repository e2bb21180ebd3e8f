import type { Duration } from 'cdk8s';
import type { IServiceAccount } from 'cdk8s-plus-28';

/** A duration in whole seconds, rounded up: a timeout of half a second is one of a second, not of none. */
export function seconds(duration: Duration): number {
  return Math.ceil(duration.toMilliseconds() / 1000);
}

/**
 * A variable with a field of the pod. It is written with the version that the API server would fill in: the reference is one
 * value as a whole, so that without it two who apply the same manifest would be in conflict. (ObjectFieldSelector: x-kubernetes-map-type)
 */
export function podFieldVariable(name: string, fieldPath: string) {
  return { name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } };
}

/** A service account by name, or as the construct of cdk8s-plus. */
export type ServiceAccountLike = string | IServiceAccount;

export function serviceAccountName(account: ServiceAccountLike | undefined): string | undefined {
  return typeof account === 'object' ? account.name : account;
}
