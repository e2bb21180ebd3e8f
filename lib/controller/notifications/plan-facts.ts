import { labels } from '../../graph/labels.ts';
import { timesAfter, timetableOf, type Timetable } from '../../graph/timetable.ts';
import { lastChanged } from '../schedules/missed-times.ts';
import type { PlanObject } from '../schedules/planned-run.ts';

/** What its CronJob says of a plan, to those who tell that it makes no run. */
export interface PlanFacts {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly workflow?: string;
  readonly group?: string;
  /** When it makes a Job: below a minute one for each minute. */
  readonly timetable: Timetable;
  /** No time up to this one is missed, in milliseconds since the epoch: it was fired last then, or became what it is. */
  readonly since: number;
  /** What `@every` counts from. */
  readonly countsFrom: number;
  /** The run that keeps others from being made. */
  readonly goesOn?: string;
}

/** Pure. Nothing of a plan that makes no runs by itself, and of one whose zone is that of the control plane, which nobody tells. */
export function planFacts({ metadata, spec, status }: PlanObject): PlanFacts | undefined {
  if (spec.suspend === true) return undefined;
  const { uid = '', name, namespace = '', labels: given = {}, creationTimestamp = '' } = metadata;
  const { [labels.workflow]: workflow, [labels.group]: group } = given;
  const { every: _, ...timetable } = timetableOf(spec);
  const firedAt = Date.parse(status?.lastScheduleTime ?? '');
  const countsFrom = Number.isNaN(firedAt) ? Date.parse(creationTimestamp) : firedAt;
  if (!Number.isNaN(firedAt) && spec.timeZone === undefined) {
    const always = { ...timetable, from: -Infinity, to: Infinity };
    if (timesAfter(always, firedAt - 1, firedAt).next().value !== firedAt) return undefined;
  }
  const active = spec.concurrencyPolicy === 'Forbid' ? status?.active?.at(-1)?.name : undefined;
  return {
    uid,
    name,
    namespace,
    timetable,
    since: Math.max(lastChanged(metadata), Number.isNaN(firedAt) ? -Infinity : firedAt),
    countsFrom,
    ...(workflow !== undefined && { workflow }),
    ...(group !== undefined && { group }),
    ...(active !== undefined && { goesOn: active }),
  };
}
