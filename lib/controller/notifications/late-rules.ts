import { RETRY_FOR_SECONDS, type WireNotification } from '../../graph/notifications.ts';
import { timesAfter } from '../../graph/timetable.ts';
import type { Due } from './notification-rules.ts';
import type { PlanFacts } from './plan-facts.ts';
import type { RunFacts } from './run-facts.ts';

/**
 * What is to be told of a plan that makes no run at its time. Pure: it follows from its CronJob, from what was told before and from the time. What
 * `status.lastScheduleTime` has come to was made, or will never be: no time up to it is late.
 */

/** While none comes, it is told again of a time so much later, in milliseconds. */
const AGAIN_MS = 24 * 3600_000;

/** A time at which no run was made. */
export interface LateTime extends Due {
  /** In milliseconds since the epoch; {@link Due.at} is when it was late. */
  readonly time: number;
}

/** What there is to be told of a plan at a time. */
export interface LateNow {
  readonly due: readonly LateTime[];
  /** When to look again although nothing else happens. */
  readonly next?: number;
}

/** The last time that was told, by the name of the notification. */
export type Told = Readonly<Record<string, number>>;

/** Of each notification the first time since the last run that is late, and has not been told. */
export function lateNow(
  plan: PlanFacts,
  told: Told,
  notifications: Readonly<Record<string, WireNotification>>,
  now: number,
): LateNow {
  const all = Object.entries(notifications).flatMap(([notification, wanted]): LateTime[] => {
    const { lateAfterSeconds, retryForSeconds = RETRY_FOR_SECONDS } = wanted;
    if (lateAfterSeconds === undefined) return [];
    const [late, retry] = [lateAfterSeconds * 1000, retryForSeconds * 1000];
    // Who comes back after days tells of no old times.
    const after = Math.max(plan.since, now - late - retry, toldUntil(plan, told[notification]));
    const [time] = timesAfter(plan.timetable, after, plan.countsFrom);
    if (time === undefined) return [];
    const at = time + late;
    return [{ notification, event: 'late', time, at, until: at + retry }];
  });
  const ahead = all.map(({ at }) => at).filter((at) => at > now);
  return { due: all.filter(({ at }) => at <= now), ...(ahead.length > 0 && { next: Math.min(...ahead) }) };
}

/** Of times in a row without a run the first is told, and then no more than one a day. */
function toldUntil({ since }: PlanFacts, told: number | undefined): number {
  return told === undefined || told <= since ? -Infinity : told + AGAIN_MS - 1;
}

/** Whether a run that begins late was told of when it was not there yet. */
export function wasToldMissing(run: RunFacts, { lateAfterSeconds = 0 }: WireNotification, told = Infinity): boolean {
  const { scheduledAt, createdAt } = run;
  if (scheduledAt === undefined || createdAt < scheduledAt + lateAfterSeconds * 1000) return false;
  return told <= scheduledAt && scheduledAt < told + AGAIN_MS;
}
