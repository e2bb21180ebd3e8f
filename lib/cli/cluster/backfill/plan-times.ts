import { plannedRunName } from '../../../controller/schedules/planned-run.ts';
import { annotations } from '../../../graph/labels.ts';
import { timesAfter, timetableOf } from '../../../graph/timetable.ts';
import type { PlanCronJob } from '../../../runs/run-objects.ts';
import { TimeZone } from '../../../values/time-zone.ts';

/** When a plan fires by itself, and what its runs are called then. Times are milliseconds since the epoch. */
export interface PlanTimes {
  /** UTC when nobody says it, as on most clusters. */
  readonly zone: TimeZone;
  /** The times from one on and before another, whether or not it was paused. */
  readonly between: (from: number, to: number) => Generator<number>;
  readonly runName: (time: number) => string;
}

/** Reads a plan; nothing when it has no schedule. */
export function planTimes({ metadata, spec, status }: PlanCronJob): PlanTimes | undefined {
  const { [annotations.pausedUntil]: _, ...notes } = spec.jobTemplate.metadata?.annotations ?? {};
  const timetable = timetableOf({ ...spec, jobTemplate: { metadata: { annotations: notes } } });
  if (timetable.expressions.length === 0) return undefined;
  const { every, timeZone = 'UTC' } = timetable;
  const since = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp ?? '');
  return {
    zone: new TimeZone(timeZone),
    *between(from, to) {
      for (const time of timesAfter(timetable, from - 1, since)) {
        if (time >= to) return;
        yield time;
      }
    },
    runName: (time) => plannedRunName(metadata.name, time, every),
  };
}
