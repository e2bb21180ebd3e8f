import { annotations, labels, NEVER } from '../../graph/labels.ts';
import { isSuspensionByHand } from '../../fleet/switched-by-hand.ts';
import type { PlanCronJob } from '../../runs/run-objects.ts';
import type { RunSummary } from '../../runs/run-summary.ts';
import { parseCron } from '../../values/cron.ts';
import { nextTime } from '../../values/cron-times.ts';
import { TimeZone, timeZoneProblem } from '../../values/time-zone.ts';

/** What a plan's CronJob and the Jobs that it made tell of it. */
export interface PlanSummary {
  /** Its cluster, where several were asked. */
  readonly cluster?: string;
  readonly name: string;
  readonly namespace: string;
  readonly group?: string;
  readonly workflow?: string;
  /** Of a plan that runs a single task. */
  readonly task?: string;
  readonly version?: string;
  /** Left out when it has none. */
  readonly schedule?: string;
  readonly timeZone?: string;
  /** Whether it starts runs by itself. */
  readonly active: boolean;
  /** Whether somebody activated or deactivated it by a command, which holds until an apply is told to take it back. */
  readonly byHand: boolean;
  /** Of a backup: the cluster that the plan is active on. */
  readonly backupOf?: string;
  readonly lastRun?: RunSummary;
  /** When it starts a run by itself next. */
  readonly nextAt?: string;
}

/** Reads a plan's CronJob. */
export function planSummary(plan: PlanCronJob, now: number, lastRun?: RunSummary): PlanSummary {
  const { metadata, spec } = plan;
  const given = metadata.labels ?? {};
  const scheduled = isScheduled(plan);
  const active = scheduled && spec.suspend !== true;
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    group: given[labels.group],
    workflow: given[labels.workflow],
    task: given[labels.task],
    version: given[labels.version],
    schedule: scheduled ? spec.schedule : undefined,
    timeZone: spec.timeZone,
    active,
    byHand: isSuspensionByHand(plan),
    backupOf: metadata.annotations?.[annotations.backupOf],
    lastRun,
    nextAt: active ? nextAt(plan, now) : undefined,
  };
}

/** Nothing for a schedule or zone that cannot be read here, and for one that never comes. */
function nextAt({ metadata, spec, status }: PlanCronJob, now: number): string | undefined {
  const schedule = parseCron(spec.schedule);
  const timeZone = spec.timeZone ?? 'UTC';
  if ('problem' in schedule || timeZoneProblem(timeZone) !== undefined) return undefined;
  const last = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp ?? '');
  const next =
    'delaySeconds' in schedule && !Number.isNaN(last)
      ? afterDelays(last, now, schedule.delaySeconds * 1000)
      : nextTime(schedule, now, new TimeZone(timeZone));
  return next === undefined ? undefined : `${new Date(next).toISOString().slice(0, 19)}Z`;
}

/** The first time after `now` that is a whole number of delays after the last one. */
function afterDelays(last: number, now: number, delay: number): number {
  return last + Math.max(1, Math.floor((now - last) / delay) + 1) * delay;
}

/** Whether it has a schedule, active or not. */
export function isScheduled({ spec }: PlanCronJob): boolean {
  return spec.schedule !== NEVER;
}
