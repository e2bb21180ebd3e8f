import { annotations, labels, NEVER } from '../../../graph/labels.ts';
import { nextOf, plannedVersion } from '../../../fleet/held-plan.ts';
import { pausedUntil } from '../../../fleet/plan-pause.ts';
import { isPauseByHand, isSuspensionByHand } from '../../../fleet/failover/switched-by-hand.ts';
import { kickoffText } from '../../../graph/kickoff.ts';
import { timesAfter, timetableOf, timetableText } from '../../../graph/timetable.ts';
import type { PlanCronJob } from '../../../runs/run-objects.ts';
import type { RunSummary } from '../../../runs/run-summary.ts';

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
  /** Of a plan that is held: the version that it was applied with last, to which `promote` lets it go. */
  readonly heldFrom?: string;
  /** Left out when it has none; several have commas between. */
  readonly schedule?: string;
  readonly timeZone?: string;
  /** Whether it starts runs by itself. */
  readonly active: boolean;
  /** Whether somebody activated or deactivated it by a command, or paused it, which holds until an apply is told to take it back. */
  readonly byHand: boolean;
  /** Until when it is paused. */
  readonly pausedUntil?: string;
  /** The program that registered it; nothing of one that was applied. */
  readonly registeredBy?: string;
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
  const next = nextOf(plan);
  const scheduled = isScheduled(plan);
  const active = scheduled && spec.suspend !== true;
  const paused = pausedUntil(plan, now);
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    group: given[labels.group],
    workflow: given[labels.workflow],
    task: given[labels.task],
    version: given[labels.version],
    heldFrom: next && plannedVersion(next),
    schedule: scheduled ? timetableText(timetableOf(spec)) : undefined,
    timeZone: spec.timeZone,
    active,
    byHand: isSuspensionByHand(plan) || (paused !== undefined && isPauseByHand(plan)),
    pausedUntil: paused === undefined ? undefined : kickoffText(paused),
    registeredBy: given[labels.registeredBy],
    backupOf: metadata.annotations?.[annotations.backupOf],
    lastRun,
    nextAt: active ? nextAt(plan, now) : undefined,
  };
}

/** Nothing for a schedule or zone that cannot be read here, and for one that never comes. */
function nextAt({ metadata, spec, status }: PlanCronJob, now: number): string | undefined {
  const last = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp ?? '');
  const [next] = timesAfter(timetableOf(spec), now, Number.isNaN(last) ? now : last);
  return next === undefined ? undefined : kickoffText(next);
}

/** Whether it has a schedule, active or not. */
export function isScheduled({ spec }: PlanCronJob): boolean {
  return spec.schedule !== NEVER;
}
