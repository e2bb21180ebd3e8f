import type { KubeObject } from './objects.ts';

/** `spec` of a coordination.k8s.io/v1 Lease. Fields that are not named here are kept. */
export interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
  [field: string]: unknown;
}

/** A coordination.k8s.io/v1 Lease. */
export interface Lease extends KubeObject {
  spec?: LeaseSpec;
}

/** What a candidate knows of a lease: its content, and when it saw that content for the first time. */
export interface Observation {
  readonly spec: LeaseSpec;
  /** By the candidate's own monotonic clock, in milliseconds. */
  readonly seenAt: number;
}

/**
 * Takes note of a lease. Its times are written by another machine's clock, so they are only compared with themselves: as
 * long as they change, the holder lives.
 */
export function observe(known: Observation | undefined, spec: LeaseSpec, monotonic: number): Observation {
  const unchanged = known !== undefined && JSON.stringify(known.spec) === JSON.stringify(spec);
  return unchanged ? known : { spec, seenAt: monotonic };
}

/** Whether the lease is free for `identity`: its own, released, or not renewed for its whole duration. */
export function isFree({ spec, seenAt }: Observation, identity: string, monotonic: number): boolean {
  if (!spec.holderIdentity || spec.holderIdentity === identity) return true;
  return seenAt + (spec.leaseDurationSeconds ?? 0) * 1000 <= monotonic;
}

/** The lease as its new or confirmed holder writes it. */
export function claimed(old: LeaseSpec | undefined, identity: string, durationMs: number, nowMs: number): LeaseSpec {
  const renewTime = microTime(nowMs);
  const mine = old?.holderIdentity === identity;
  const transitions = old?.leaseTransitions ?? 0;
  return {
    ...old,
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(durationMs / 1000),
    acquireTime: mine ? (old.acquireTime ?? renewTime) : renewTime,
    renewTime,
    leaseTransitions: mine || old === undefined ? transitions : transitions + 1,
  };
}

/** The lease as its holder leaves it: the next candidate need not wait. */
export function released(old: LeaseSpec, nowMs: number): LeaseSpec {
  const time = microTime(nowMs);
  return { ...old, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: time, renewTime: time };
}

/** A time as `metav1.MicroTime` wants it: RFC 3339 with six fractional digits; the API server takes no other. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
