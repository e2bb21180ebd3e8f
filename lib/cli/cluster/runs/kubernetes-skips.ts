import { lastChanged } from '../../../controller/schedules/missed-times.ts';
import { plannedRunName } from '../../../controller/schedules/planned-run.ts';
import { annotations } from '../../../graph/labels.ts';
import { KEPT_SKIPS, type SkippedRun } from '../../../graph/plan-record.ts';
import { lastTimes, timesAfter, timetableOf, type Timetable } from '../../../graph/timetable.ts';
import { scheduledAt } from '../../../runs/run-kinds.ts';
import type { PlanCronJob, RunJob } from '../../../runs/run-objects.ts';
import { summaryOf } from '../../../runs/run-summary.ts';

/** So far may our clock be ahead of that of Kubernetes, in milliseconds. */
const CLOCK_MS = 5_000;

const MINUTE = 60_000;

/**
 * The last runs that Kubernetes itself skipped, since another run of the plan went on; the oldest first. Pure: the CronJob and its Jobs tell it.
 *
 * With `Forbid` no run begins beside one that the CronJob has made and that has not ended. After that the last time that has passed is made up for, within
 * the starting deadline, and none before it. (pkg/controller/cronjob/cronjob_controllerv2.go: syncCronJob) So a time is skipped for good when a run
 * goes on from before it until the next time or until its deadline, and whatever was deleted meanwhile, no run of that time was among it.
 *
 * @param jobs those that the CronJob owns
 */
export function skippedByKubernetes(plan: PlanCronJob, jobs: readonly RunJob[], now: number): readonly SkippedRun[] {
  const { metadata, spec } = plan;
  const timetable = timetableOf(spec);
  if (spec.concurrencyPolicy !== 'Forbid' || spec.suspend === true || timetable.every !== undefined) return [];
  // As what the plan was before, it skipped nothing.
  const since = lastChanged(metadata);
  const taken = new Set(jobs.map(scheduledAt));
  const found = new Map<number, SkippedRun>();
  // What older ones kept from running is older.
  for (const [at, job] of jobs.map((each) => [scheduledAt(each) ?? 0, each] as const).sort(([a], [b]) => b - a)) {
    if (at === 0 || found.size >= KEPT_SKIPS) break;
    const { name, createdAt = '', finishedAt } = summaryOf(job);
    const began = Math.max(at, Date.parse(createdAt), since);
    const end = finishedAt === undefined ? now - CLOCK_MS : Date.parse(finishedAt);
    if (end < at + MINUTE || !isOf(timetable, at)) continue;
    for (const time of passedOver(plan, timetable, { at, began, end }))
      if (!taken.has(time) && !found.has(time))
        found.set(time, {
          name: plannedRunName(metadata.name, time, undefined),
          time,
          reason: 'RunGoesOn',
          message: `${name} still goes on`,
        });
  }
  return [...found.values()].sort((a, b) => a.time - b.time).slice(-KEPT_SKIPS);
}

/** A run that its plan made: the time that it is for, and from when to when it was in the way of others. */
interface Span {
  readonly at: number;
  readonly began: number;
  readonly end: number;
}

/** The times within a run that were over before it was. */
function passedOver({ spec }: PlanCronJob, timetable: Timetable, { at, began, end }: Span): readonly number[] {
  const times = lastTimes(timetable, { after: began, before: end + 1, count: KEPT_SKIPS + 1, since: at });
  const deadline = Number(spec.startingDeadlineSeconds ?? Infinity) * 1000;
  // What fires after the dates of a plan is none of its times, and yet keeps Kubernetes from making up for the last one; our controller does that, where it may.
  const madeUp = spec.jobTemplate.metadata?.annotations?.[annotations.catchUp] !== undefined;
  const next = (time: number) => timesAfter(madeUp ? timetable : undated(timetable), time, at).next().value as number;
  return times.filter((time, index) => time + deadline < end || (times[index + 1] ?? next(time) ?? Infinity) <= end);
}

/** Kubernetes reads a schedule without a zone in its own, which nobody tells: that of a run shows whether it is ours. */
function isOf(timetable: Timetable, at: number): boolean {
  return timetable.timeZone !== undefined || timesAfter(undated(timetable), at - 1, at).next().value === at;
}

function undated(timetable: Timetable): Timetable {
  return { ...timetable, from: -Infinity, to: Infinity };
}
