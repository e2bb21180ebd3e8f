import { annotations, labels } from '../../graph/labels.ts';
import type { Timetable } from '../../graph/timetable.ts';
import { isTicker, scheduledAt } from '../../runs/run-kinds.ts';
import { hasCondition, type Job } from '../objects.ts';

/** How the runs of a plan with an interval below a minute come from the Job that its CronJob makes each minute. Pure. */

/**
 * The minute begins so much later for the ticker: until then its Job should have been made and seen. The next one's begins where it ends,
 * so that no time is left out and none comes twice.
 */
const LEAD_MS = 5_000;
const MINUTE_MS = 60_000;

/** The times at which the runs of a ticker start, in milliseconds since the epoch. */
export function ticksOf(job: Job): readonly number[] {
  const interval = Number(job.metadata.annotations?.[annotations.every]) * 1000;
  const from = scheduledAt(job)! + LEAD_MS;
  if (!Number.isSafeInteger(interval) || interval < 1_000) return [];
  const ticks: number[] = [];
  for (let tick = (Math.floor(from / interval) + 1) * interval; tick <= from + MINUTE_MS; tick += interval)
    ticks.push(tick);
  return ticks;
}

/** The times that a Job of a plan stands for: what is before `from` others stand for, or nobody; `to` is the last of them. */
export function windowOf(job: Job): { readonly from: number; readonly to: number } {
  const time = scheduledAt(job)!;
  if (!isTicker(job)) return { from: time, to: time };
  return { from: time + LEAD_MS + 1, to: time + LEAD_MS + MINUTE_MS };
}

/** The last of the times that a Job of a plan stands for which its CronJob made at a time. */
export function windowEnd(time: number, { every }: Pick<Timetable, 'every'>): number {
  return every === undefined ? time : time + LEAD_MS + MINUTE_MS;
}

/** The time after which a plan that is as it is since another has runs at all: below a minute, they come when its CronJob has fired. */
export function firstWindow(since: number, { every }: Timetable): number {
  return every === undefined ? since : Math.floor(since / MINUTE_MS) * MINUTE_MS + MINUTE_MS + LEAD_MS;
}

/** The finished runs of a plan that its history limits let go, the oldest first. */
export function beyondHistory(runs: readonly Job[], limits: { readonly succeeded: number; readonly failed: number }) {
  const byAge = (a: Job, b: Job) => (scheduledAt(a) ?? 0) - (scheduledAt(b) ?? 0);
  const ended = (type: string) => runs.filter(({ status }) => hasCondition(status?.conditions, type)).sort(byAge);
  const [succeeded, failed] = [ended('Complete'), ended('Failed')];
  return [
    ...succeeded.slice(0, Math.max(0, succeeded.length - limits.succeeded)),
    ...failed.slice(0, Math.max(0, failed.length - limits.failed)),
  ];
}

/** Whether a ticker made the run. The CronJob controller keeps those that it made itself within the limits. */
export function isTicked({ metadata }: Job): boolean {
  const owner = metadata.ownerReferences?.find(({ kind }) => kind === 'CronJob');
  return metadata.labels?.[labels.step] === undefined && owner !== undefined && owner.controller !== true;
}
