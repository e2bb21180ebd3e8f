import { isJsonObject } from '../values/json.ts';
import { annotations, NEVER } from './labels.ts';
import { timetableOf, timetableText, type TimedSpec } from './timetable.ts';

/** A plan's CronJob, as far as it is read here. */
export interface TakingPlan {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: Partial<TimedSpec>;
}

/** The schedule of a plan in one line. What is remembered of its times holds as long as it is the same. */
export function scheduleText({ spec }: Pick<TakingPlan, 'spec'>): string {
  const timetable = timetableOf({ schedule: NEVER, jobTemplate: {}, ...spec });
  return [timetableText(timetable), timetable.timeZone ?? ''].join(' ').trim();
}

/**
 * What a plan carries that took over from its like on another cluster: that one has dealt with its times up to and with this one, which
 * nothing on this cluster tells.
 */
export function takenOverNote(plan: Pick<TakingPlan, 'spec'>, through: string): string {
  return JSON.stringify({ through, schedule: scheduleText(plan) });
}

/** That time, in milliseconds since the epoch; nothing when it did not take over, or has another schedule by now. */
export function takenOverThrough(plan: TakingPlan): number | undefined {
  let value: unknown;
  try {
    value = JSON.parse(plan.metadata.annotations?.[annotations.takenOver] ?? 'null');
  } catch {
    return undefined;
  }
  if (!isJsonObject(value) || value.schedule !== scheduleText(plan) || typeof value.through !== 'string')
    return undefined;
  const time = Date.parse(value.through);
  return Number.isNaN(time) ? undefined : time;
}
