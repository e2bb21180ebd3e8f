import { annotations, labels, MANAGED_BY, SCHEDULED_AT } from '../graph/labels.ts';
import type { KubeObject } from '../kube/objects.ts';

/** Runs among all Jobs, but those that are steps of others. Steps that run as Jobs are no runs. */
export const RUN_SELECTOR = `${labels.managedBy}=${MANAGED_BY},!${labels.step}`;

/** Runs and the Jobs of steps, which {@link isRunJob} tells apart. */
export const ALL_JOBS_SELECTOR = `${labels.managedBy}=${MANAGED_BY}`;

/** Launch plans among all CronJobs. */
export const PLAN_SELECTOR = `${labels.managedBy}=${MANAGED_BY}`;

/** Whether a Job of ours is a run, also one that is a step of another; not one that only starts others. */
export function isRunJob(job: KubeObject): boolean {
  if (isTicker(job)) return false;
  const { labels: given, annotations: notes } = job.metadata;
  return given?.[labels.step] === undefined || notes?.[annotations.graph] !== undefined;
}

/** Whether a Job starts the runs of a minute, and is no run itself. One that was launched by hand is a run. */
export function isTicker({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[annotations.every] !== undefined && scheduledAt({ metadata }) !== undefined;
}

/** When a schedule wanted a run to start, in milliseconds since the epoch; nothing for one that was launched by hand. */
export function scheduledAt({ metadata }: Pick<KubeObject, 'metadata'>): number | undefined {
  const time = Date.parse(metadata.annotations?.[SCHEDULED_AT] ?? '');
  return Number.isNaN(time) ? undefined : time;
}
