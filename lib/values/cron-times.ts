import type { CronFields, CronSchedule } from './cron.ts';
import type { TimeZone } from './time-zone.ts';

/** When a schedule fires, as Kubernetes reckons it: step by step as Next of robfig/cron v3 does, with its ways around summer time. (spec.go, constantdelay.go) */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Nothing that lies further ahead is looked for. */
const YEARS = 5;

/** The first time after another, in milliseconds since the epoch; nothing when none comes within five years. */
export function nextTime(schedule: CronSchedule, after: number, zone: TimeZone): number | undefined {
  if ('delaySeconds' in schedule) return wholeSecond(after) + schedule.delaySeconds * SECOND;
  // Each minute of five years would be looked at.
  if (schedule.hours.size === 0 || schedule.minutes.size === 0) return undefined;
  return new Search(schedule, wholeSecond(after) + SECOND, zone).run();
}

/** The times after another, one after the other, until none comes. */
export function* nextTimes(schedule: CronSchedule, after: number, zone: TimeZone): Generator<number> {
  for (let time = nextTime(schedule, after, zone); time !== undefined; time = nextTime(schedule, time, zone))
    yield time;
}

function wholeSecond(time: number): number {
  return Math.floor(time / SECOND) * SECOND;
}

/** Moves a time on, from the largest field to the smallest, until all fit. Where a field runs over, all are looked at again. */
class Search {
  readonly #fields: CronFields;
  readonly #zone: TimeZone;
  #time: number;
  #wall: Date;
  /** Whether the time was moved: the first move sets what is smaller than its field to its least. */
  #moved = false;

  constructor(fields: CronFields, from: number, zone: TimeZone) {
    this.#fields = fields;
    this.#zone = zone;
    this.#time = from;
    this.#wall = zone.wallAt(from);
  }

  run(): number | undefined {
    const lastYear = this.#wall.getUTCFullYear() + YEARS;
    while (this.#wall.getUTCFullYear() <= lastYear)
      if (this.#findMonth() && this.#findDay() && this.#findHour() && this.#findMinute() && this.#findSecond())
        return this.#time;
    return undefined;
  }

  #findMonth(): boolean {
    while (!this.#fields.months.has(this.#wall.getUTCMonth() + 1)) {
      this.#begin((year, month) => Date.UTC(year, month, 1));
      this.#moveWall((year, month, day) => [year, month + 1, day]);
      if (this.#wall.getUTCMonth() === 0) return false;
    }
    return true;
  }

  #findDay(): boolean {
    while (!this.#dayFits()) {
      this.#begin((year, month, day) => Date.UTC(year, month, day));
      const before = this.#time;
      this.#moveWall((year, month, day) => [year, month, day + 1]);
      // A day that a zone left out, as Samoa the 30th of December 2011: the Go parser would never end.
      if (this.#time <= before) this.#move(before + 24 * HOUR);
      // Clocks that are set at midnight: the day begins at one, or the one before has another last hour.
      const hour = this.#wall.getUTCHours();
      if (hour !== 0) this.#move(this.#time + (hour > 12 ? 24 - hour : -hour) * HOUR);
      if (this.#wall.getUTCDate() === 1) return false;
    }
    return true;
  }

  #dayFits(): boolean {
    const { days, weekdays, bothDays } = this.#fields;
    const day = days.has(this.#wall.getUTCDate());
    const weekday = weekdays.has(this.#wall.getUTCDay());
    return bothDays ? day && weekday : day || weekday;
  }

  #findHour(): boolean {
    while (!this.#fields.hours.has(this.#wall.getUTCHours())) {
      this.#begin((year, month, day, hour) => Date.UTC(year, month, day, hour));
      this.#move(this.#time + HOUR);
      if (this.#wall.getUTCHours() === 0) return false;
    }
    return true;
  }

  #findMinute(): boolean {
    while (!this.#fields.minutes.has(this.#wall.getUTCMinutes())) {
      this.#truncate(MINUTE);
      this.#move(this.#time + MINUTE);
      if (this.#wall.getUTCMinutes() === 0) return false;
    }
    return true;
  }

  #findSecond(): boolean {
    while (this.#wall.getUTCSeconds() !== 0) {
      this.#moved = true;
      this.#move(this.#time + SECOND);
      if (this.#wall.getUTCSeconds() === 0) return false;
    }
    return true;
  }

  /** Sets the smaller fields to their least, on the clock. */
  #begin(least: (year: number, month: number, day: number, hour: number) => number): void {
    if (this.#moved) return;
    this.#moved = true;
    const wall = this.#wall;
    const date = least(wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate(), wall.getUTCHours());
    this.#move(this.#zone.timeOf(new Date(date)));
  }

  #truncate(unit: number): void {
    if (this.#moved) return;
    this.#moved = true;
    this.#move(Math.floor(this.#time / unit) * unit);
  }

  /** Another date at the same time of day, on the clock. */
  #moveWall(to: (year: number, month: number, day: number) => [number, number, number]): void {
    const wall = new Date(this.#wall);
    wall.setUTCFullYear(...to(wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate()));
    this.#move(this.#zone.timeOf(wall));
  }

  #move(time: number): void {
    this.#time = time;
    this.#wall = this.#zone.wallAt(time);
  }
}
