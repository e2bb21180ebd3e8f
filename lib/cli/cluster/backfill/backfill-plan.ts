import { kickoffNames } from '../../../graph/kickoff.ts';
import type { Backfilling } from '../../../graph/labels.ts';
import type { Problem } from '../../../values/problems.ts';
import type { TimeZone } from '../../../values/time-zone.ts';
import type { PlanTimes } from './plan-times.ts';
import type { PlanCronJob, RunJob } from '../../../runs/run-objects.ts';
import { summaryOf } from '../../../runs/run-summary.ts';

/** More runs are none that anybody wants at once, and memory is finite. */
const MOST_RUNS = 10_000;

/** What is asked for, of each plan. */
export interface BackfillRequest extends Backfilling {
  /** Times as they were written; one without an offset is in the plan's zone. */
  readonly from: string;
  readonly to: string;
  /** Runs that failed or were cancelled are made again. */
  readonly rerunFailed: boolean;
}

/** A time and what is done about its run. `exists`: nothing. */
export interface BackfillRun {
  readonly time: number;
  readonly name: string;
  readonly action: 'create' | 'rerun' | 'exists';
  /** What is there of that name. */
  readonly existing?: RunJob;
}

/** A time as it was written: `2026-03-01`, `2026-03-01T06:00`, or with seconds; with `Z` or an offset, else in the zone. */
export function timeIn(text: string, zone: TimeZone): number | undefined {
  const [, date, clock = '00:00', offset] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?))?(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? [];
  const wall = Date.parse(`${date}T${clock}Z`);
  // Date.parse takes the 31st of February for the 3rd of March.
  if (Number.isNaN(wall) || new Date(wall).toISOString().slice(0, 10) !== date) return undefined;
  return offset === undefined ? zone.timeOf(new Date(wall)) : Date.parse(`${date}T${clock}${offset}`);
}

/** The times that a backfill is for. What is wrong with the request for this plan, all at once. */
export function backfillTimes(
  plan: PlanCronJob,
  times: PlanTimes | undefined,
  { from, to }: BackfillRequest,
  now: number,
): { readonly from: number; readonly to: number; readonly times: readonly number[] } | readonly Problem[] {
  if (times === undefined)
    return [
      { path: '', message: 'has no schedule, so there are no times to make up for', fix: 'launch its runs one by one' },
    ];
  const problems: Problem[] = [];
  const read = (path: string, text: string) => {
    const time = timeIn(text, times.zone);
    if (time === undefined)
      problems.push({
        path,
        message: `${JSON.stringify(text)} is no time`,
        fix: 'write 2026-03-01, or 2026-03-01T06:00, in the zone of the plan, or with Z or an offset behind it',
      });
    return time ?? NaN;
  };
  const [begin, end] = [read('--from', from), read('--to', to)];
  if (begin >= end) problems.push({ path: '--from', message: `${from} is not before --to ${to}` });
  if (end > now)
    problems.push({
      path: '--to',
      message: `${to} is yet to come: ${plan.metadata.name} starts the runs of these times itself`,
      fix: 'give a time that has passed; it is not included itself',
    });
  if (problems.length > 0) return problems;
  const all = [...times.between(begin, end).take(MOST_RUNS + 1)];
  if (all.length > MOST_RUNS)
    problems.push({ path: '--from', message: `makes more than ${MOST_RUNS} runs`, fix: 'do it in several parts' });
  if (all.length === 0)
    problems.push({ path: '--from', message: `no time of the schedule lies from ${from} on and before ${to}` });
  return problems.length > 0 ? problems : { from: begin, to: end, times: all };
}

/** The inputs that a backfill gives itself cannot be given beside it. */
export function kickoffProblems(plan: PlanCronJob, given: Iterable<string>): readonly Problem[] {
  const names = kickoffNames(plan.spec.jobTemplate.metadata);
  return [...given]
    .filter((name) => names.includes(name))
    .map((name) => ({
      path: `--input ${name}`,
      message: 'is the time that each run is for',
      fix: 'leave it out',
    }));
}

/** What is done about each time, in the order in which the runs begin. */
export function backfillRuns(
  times: readonly number[],
  { runName }: PlanTimes,
  { order, rerunFailed }: BackfillRequest,
  known: ReadonlyMap<string, RunJob>,
): readonly BackfillRun[] {
  const runs = times.map((time): BackfillRun => {
    const name = runName(time);
    const existing = known.get(name);
    if (existing === undefined) return { time, name, action: 'create' };
    const { phase } = summaryOf(existing);
    const again = rerunFailed && (phase === 'Failed' || phase === 'Cancelled');
    return { time, name, existing, action: again ? 'rerun' : 'exists' };
  });
  return order === 'newest' ? runs.reverse() : runs;
}
