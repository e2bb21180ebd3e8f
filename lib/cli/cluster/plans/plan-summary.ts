import { annotations } from '../../../graph/labels.ts';
import { nextOf, plannedVersion } from '../../../fleet/held-plan.ts';
import { pausedUntil } from '../../../fleet/plan-pause.ts';
import { isPauseByHand, isSuspensionByHand } from '../../../fleet/failover/switched-by-hand.ts';
import { kickoffText } from '../../../graph/kickoff.ts';
import { timesAfter, timetableOf, timetableText } from '../../../graph/timetable.ts';
import { isScheduled, planIdentity, type PlanIdentity } from '../../../runs/plan-identity.ts';
import type { PlanCronJob } from '../../../runs/run-objects.ts';
import type { RunSummary } from '../../../runs/run-summary.ts';

/** What a plan's CronJob and the Jobs that it made tell of it. */
export interface PlanSummary extends PlanIdentity {
  /** Its cluster, where several were asked. */
  readonly cluster?: string;
  /** Of a plan that is held: the version that it was applied with last, to which `promote` lets it go. */
  readonly heldFrom?: string;
  /** Left out when it has none; several have commas between. */
  readonly schedule?: string;
  /** Whether somebody activated or deactivated it by a command, or paused it, which holds until an apply is told to take it back. */
  readonly byHand: boolean;
  /** Until when it is paused. */
  readonly pausedUntil?: string;
  /** Of a backup: the cluster that the plan is active on. */
  readonly backupOf?: string;
  readonly lastRun?: RunSummary;
  /** When it starts a run by itself next. */
  readonly nextAt?: string;
}

/** Reads a plan's CronJob. */
export function planSummary(plan: PlanCronJob, now: number, lastRun?: RunSummary): PlanSummary {
  const identity = planIdentity(plan);
  const next = nextOf(plan);
  const paused = pausedUntil(plan, now);
  return {
    ...identity,
    heldFrom: next && plannedVersion(next),
    schedule: isScheduled(plan) ? timetableText(timetableOf(plan.spec)) : undefined,
    byHand: isSuspensionByHand(plan) || (paused !== undefined && isPauseByHand(plan)),
    pausedUntil: paused === undefined ? undefined : kickoffText(paused),
    backupOf: plan.metadata.annotations?.[annotations.backupOf],
    lastRun,
    nextAt: identity.active ? nextAt(plan, now) : undefined,
  };
}

/** Nothing for a schedule or zone that cannot be read here, and for one that never comes. */
function nextAt({ metadata, spec, status }: PlanCronJob, now: number): string | undefined {
  const last = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp ?? '');
  const [next] = timesAfter(timetableOf(spec), now, Number.isNaN(last) ? now : last);
  return next === undefined ? undefined : kickoffText(next);
}
