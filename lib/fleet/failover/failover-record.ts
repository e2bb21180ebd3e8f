import { annotations, MANAGED_BY, MANAGED_BY_LABEL } from '../../graph/labels.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { isJsonObject } from '../../values/json.ts';
import { isPauseByHand, isSuspensionByHand } from './switched-by-hand.ts';

/** The CronJob of a launch plan, as far as failover reads it. */
export interface PlanObject extends KubeObject {
  readonly spec: {
    readonly schedule?: string;
    readonly timeZone?: string;
    readonly suspend?: boolean;
    readonly jobTemplate?: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
  };
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
 * left to whoever switched it, and until when it is paused to whoever paused it. In server-side apply a field that is left out stays as its
 * other owner has it.
 */
export function leavingSwitched(manifest: KubeObject, live: KubeObject): KubeObject {
  if (manifest.kind !== 'CronJob') return manifest;
  const left = isPauseByHand(live) ? withoutPause(manifest as PlanObject) : manifest;
  if (!wasSwitched(live)) return left;
  const { suspend: _, ...spec } = (left as PlanObject).spec;
  return { ...left, spec };
}

/** Until when a plan is paused, as its CronJob says it. */
export function pauseOf({ spec }: KubeObject): string | undefined {
  return (spec as PlanObject['spec'] | undefined)?.jobTemplate?.metadata?.annotations?.[annotations.pausedUntil];
}

function withoutPause(plan: PlanObject): PlanObject {
  if (pauseOf(plan) === undefined) return plan;
  const { metadata, ...template } = plan.spec.jobTemplate!;
  const { [annotations.pausedUntil]: _, ...notes } = metadata!.annotations!;
  const jobTemplate = { ...template, metadata: { ...metadata, annotations: notes } };
  return { ...plan, spec: { ...plan.spec, jobTemplate } };
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
