import { parseCron, type CronSchedule } from '../values/cron.ts';
import { nextTime } from '../values/cron-times.ts';
import { isJsonObject } from '../values/json.ts';
import { TimeZone, timeZoneProblem } from '../values/time-zone.ts';
import { annotations, NEVER } from './labels.ts';

const MINUTE = 60_000;

/** When a plan starts runs by itself. */
export interface Timetable {
  /** The cron expressions; none of a plan that is launched by hand. */
  readonly expressions: readonly string[];
  readonly timeZone?: string;
  /** The interval in seconds, of one that fires more often than once a minute. */
  readonly every?: number;
  /** From when on, and before when, it fires; in milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
}

/** The part of a plan's CronJob that says it. */
export interface TimedSpec {
  readonly schedule: string;
  readonly timeZone?: string;
  readonly jobTemplate: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
}

/** Several cron expressions, as the annotation `schedules` has them. */
export interface Schedules {
  readonly cron: readonly string[];
  readonly timeZone: string;
}

/** Reads the spec of a plan's CronJob. What anybody broke says nothing. */
export function timetableOf({ schedule, timeZone, jobTemplate }: TimedSpec): Timetable {
  const notes = jobTemplate.metadata?.annotations ?? {};
  const { from, to } = objectOf(notes[annotations.between]);
  const every = Number(notes[annotations.every]);
  return {
    expressions: schedulesOf(notes)?.cron ?? (schedule === NEVER ? [] : [schedule]),
    ...(timeZone !== undefined && { timeZone }),
    ...(Number.isSafeInteger(every) && every > 0 && { every }),
    from: Math.max(timeOf(from, -Infinity), timeOf(notes[annotations.pausedUntil], -Infinity)),
    to: timeOf(to, Infinity),
  };
}

/** The schedules that annotations carry of a plan whose CronJob fires at other times, too. */
export function schedulesOf(notes: Readonly<Record<string, string>>): Schedules | undefined {
  const { cron, timeZone } = objectOf(notes[annotations.schedules]);
  if (!Array.isArray(cron) || !cron.every((each) => typeof each === 'string') || typeof timeZone !== 'string') return;
  return { cron, timeZone };
}

/** What people call it: `0 6 * * *, 30 18 * * 5`, or `every 10s`. */
export function timetableText({ expressions, every }: Timetable): string {
  return every === undefined ? expressions.join(', ') : `every ${every}s`;
}

/**
 * The times after another, one after the other, until none comes.
 *
 * @param since when it fired last: what `@every` counts from
 */
export function* timesAfter(timetable: Timetable, after: number, since = after): Generator<number> {
  const { expressions, every, from, to, timeZone = 'UTC' } = timetable;
  const zone = zoneOf(timeZone);
  if (zone === undefined) return;
  const schedules = expressions.map(parseCron).filter((read): read is CronSchedule => !('problem' in read));
  const next = (schedule: CronSchedule, time: number) =>
    'delaySeconds' in schedule
      ? nextMultiple(time, schedule.delaySeconds * 1000, since)
      : nextTime(schedule, time, zone);
  // Each knows its next time; the first of them is the plan's.
  const heads = new Map<CronSchedule, number | undefined>();
  for (let time = Math.max(after, from - 1); ;) {
    if (every !== undefined && expressions.length > 0) time = nextMultiple(time, every * 1000, 0);
    else {
      for (const schedule of schedules)
        if (!heads.has(schedule) || heads.get(schedule)! <= time) heads.set(schedule, next(schedule, time));
      time = Math.min(...[...heads.values()].map((head) => head ?? Infinity));
    }
    if (!(time < to)) return;
    yield time;
  }
}

/** Which of the last times are meant; in milliseconds since the epoch. */
export interface LastTimes {
  /** They are after this one and before the other. */
  readonly after: number;
  readonly before: number;
  readonly count: number;
  /** When it fired last: what `@every` counts from. */
  readonly since: number;
}

/** The last times of a span, in their order. */
export function lastTimes(timetable: Timetable, { after, before, count, since }: LastTimes): readonly number[] {
  // The span may be years: looks back further and further until there are enough.
  let found: readonly number[] = [];
  let until = before;
  for (let span = count * (timetable.every ? timetable.every * 1000 : MINUTE); ; span *= 2) {
    const start = Math.max(after, before - span);
    const earlier: number[] = [];
    for (const time of timesAfter(timetable, start, since)) {
      if (time >= until) break;
      earlier.push(time);
    }
    found = [...earlier, ...found];
    until = start + 1;
    if (start === after || found.length >= count) return found.slice(-count);
  }
}

/** Whether one of the schedules fires at a time. */
export function firesAt({ cron, timeZone }: Schedules, time: number): boolean {
  const { value } = timesAfter({ expressions: cron, timeZone, from: -Infinity, to: Infinity }, time - 1).next();
  return value === time;
}

const zones = new Map<string, TimeZone | undefined>();

/** Nothing for a zone that there is not. Each is kept: it takes long to make one, and it knows what it was asked before. */
function zoneOf(name: string): TimeZone | undefined {
  if (!zones.has(name)) zones.set(name, timeZoneProblem(name) === undefined ? new TimeZone(name) : undefined);
  return zones.get(name);
}

function nextMultiple(after: number, interval: number, since: number): number {
  return since + (Math.floor((after - since) / interval) + 1) * interval;
}

function timeOf(text: unknown, otherwise: number): number {
  const time = typeof text === 'string' ? Date.parse(text) : NaN;
  return Number.isNaN(time) ? otherwise : time;
}

function objectOf(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
