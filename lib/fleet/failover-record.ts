import { annotations, MANAGED_BY, MANAGED_BY_LABEL } from '../graph/labels.ts';
import type { KubeObject } from '../kube/objects.ts';
import { isJsonObject } from '../values/json.ts';
import { isSuspensionByHand } from './switched-by-hand.ts';

/** The CronJob of a launch plan, as far as failover reads it. */
export interface PlanObject extends KubeObject {
  readonly spec: { readonly suspend?: boolean };
  readonly status?: { readonly lastScheduleTime?: string; readonly active?: readonly unknown[] };
}

/** Selects launch plans among CronJobs. */
export const PLANS = `${MANAGED_BY_LABEL}=${MANAGED_BY}`;

/** That a plan was switched from the cluster that it belongs on to a backup. */
export interface FailoverRecord {
  readonly from: string;
  readonly to: string;
  /** RFC 3339. */
  readonly at: string;
  /** Who did it: a user as the API server knows them, or the controller. */
  readonly by: string;
}

/** What a CronJob says of a failover; nothing when it was not part of one. */
export function failoverOf({ metadata }: PlanObject): FailoverRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(metadata.annotations?.[annotations.failover] ?? 'null');
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const { from, to, at, by } = value;
  return [from, to, at, by].every((field) => typeof field === 'string')
    ? ({ from, to, at, by } as FailoverRecord)
    : undefined;
}

/**
 * A manifest as it is applied over what the cluster has: of a plan that was switched, by a failover or by hand, whether it is suspended is
 * left to whoever switched it. In server-side apply a field that is left out stays as its other owner has it.
 */
export function leavingSwitched(manifest: KubeObject, live: KubeObject): KubeObject {
  if (manifest.kind !== 'CronJob' || !wasSwitched(live)) return manifest;
  const { suspend: _, ...spec } = (manifest as PlanObject).spec;
  return { ...manifest, spec };
}

function wasSwitched(live: KubeObject): boolean {
  return failoverOf(live as PlanObject) !== undefined || isSuspensionByHand(live);
}

/** Whether it is suspended on the cluster that it belongs on, too: by its author, or for want of a schedule. */
export function staysSuspended({ metadata }: PlanObject): boolean {
  return metadata.annotations?.[annotations.staysSuspended] === 'true';
}

export function isActive({ spec }: PlanObject): boolean {
  return spec.suspend !== true;
}
