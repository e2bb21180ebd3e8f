import { suggest } from './problems.ts';

const DAY = 86_400_000;

/** A time zone of the IANA database. Times are milliseconds since the epoch. */
export class TimeZone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  /** By the day since the epoch that they begin: to ask Node takes long. */
  readonly #offsets = new Map<number, number>();

  /** @throws RangeError when there is no such zone */
  constructor(name: string) {
    this.name = name;
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  }

  /** How far its clocks are ahead of UTC at a time, in milliseconds. */
  offsetAt(time: number): number {
    const day = Math.floor(time / DAY);
    const offset = this.#atMidnight(day);
    // No zone sets its clocks twice within a day.
    return offset === this.#atMidnight(day + 1) ? offset : this.#ask(time);
  }

  #atMidnight(day: number): number {
    const known = this.#offsets.get(day);
    if (known !== undefined) return known;
    const offset = this.#ask(day * DAY);
    this.#offsets.set(day, offset);
    return offset;
  }

  #ask(time: number): number {
    const [, sign, hours, minutes, seconds = 0] =
      /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(this.#format.format(time)) ?? [];
    if (sign === undefined) return 0;
    return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * (sign === '-' ? -1000 : 1000);
  }

  /** What its clocks show at a time: the date whose UTC fields are the local ones. */
  wallAt(time: number): Date {
    return new Date(time + this.offsetAt(time));
  }

  /**
   * The time at which its clocks show a date, given as a date whose UTC fields are the local ones. Of a time that clocks show twice or never, the
   * one that Go's time.Date gives.
   */
  timeOf(wall: Date): number {
    const local = wall.getTime();
    return local - this.offsetAt(local - this.offsetAt(local));
  }

  /** A time as its clocks show it, such as `2026-03-29T03:00:00+02:00`. */
  format(time: number): string {
    const offset = this.offsetAt(time) / 60_000;
    const two = (value: number) => String(Math.trunc(value)).padStart(2, '0');
    const ahead = `${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
    return `${this.wallAt(time).toISOString().slice(0, 19)}${ahead}`;
  }
}

/** Names of three letters in the IANA database. Node takes others too, such as PST, and Kubernetes does not. */
const SHORT = ['CET', 'EET', 'EST', 'GMT', 'HST', 'MET', 'MST', 'PRC', 'ROC', 'ROK', 'UCT', 'UTC', 'WET'];

/** Node makes the list anew each time it is asked, and a thousand plans ask. */
let zones: ReadonlySet<string> | undefined;

/** Why Kubernetes would refuse the time zone, or nothing. (pkg/apis/batch/validation: validateTimeZone) */
export function timeZoneProblem(zone: string): string | undefined {
  if (zone.toLowerCase() === 'local') return 'must be a name from the IANA database, such as Europe/Berlin';
  if (/^[+-]/.test(zone)) return 'must be a name from the IANA database, not an offset';
  const unknown = 'is not in the IANA database of time zones';
  // Kubernetes looks for a file of that name, in which case counts; Node does not mind it.
  zones ??= new Set([...Intl.supportedValuesOf('timeZone'), 'UTC']);
  if (zones.has(zone)) return undefined;
  const named = isZone(zone) && zone.split('/').every((part) => /^[A-Z]/.test(part)) && !zone.startsWith('SystemV/');
  if (named && (zone.length !== 3 || SHORT.includes(zone))) return undefined;
  const near = suggest(zone, zones);
  return near === undefined ? unknown : `${unknown}; ${near}`;
}

function isZone(zone: string): boolean {
  try {
    return new TimeZone(zone).name === zone;
  } catch {
    return false;
  }
}
