import { goDurationSeconds } from './go-duration.ts';
import { show } from './problems.ts';

/**
 * Which cron expressions Kubernetes takes, and what they mean: the standard parser of robfig/cron v3. No seconds, no `7`,
 * no `L`, `W` or `#`. (parser.go; pkg/apis/batch/validation: validateScheduleFormat)
 */
export type CronSchedule = CronFields | CronDelay;

/** Five fields: when the clock on the wall shows a minute that is in all of them. */
export interface CronFields {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** Sunday is 0. */
  readonly weekdays: ReadonlySet<number>;
  /** Whether a day must be in both `days` and `weekdays`, since one of them is `*` or `?`; else in one of them. */
  readonly bothDays: boolean;
}

/** `@every`: so many seconds after the last time, whatever the clock shows. */
export interface CronDelay {
  readonly delaySeconds: number;
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const FIELDS: readonly Field[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31 },
  {
    name: 'month',
    min: 1,
    max: 12,
    names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { name: 'day of week', min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

/** Names of expressions. */
export const CRON_ALIASES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** What Go takes for white space (unicode.IsSpace); `\s` has U+FEFF besides, and lacks U+0085. */
const SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

/** A field of an expression: its values, and whether it is `*` or `?`. */
interface ReadField {
  readonly values: ReadonlySet<number>;
  readonly any: boolean;
}

/** Reads an expression, or tells why Kubernetes would refuse it. */
export function parseCron(expression: string): CronSchedule | { readonly problem: string } {
  if (expression.includes('TZ')) return { problem: 'must not name a time zone; set timeZone' };
  if (expression.startsWith('@')) return parseAlias(expression);
  const texts = expression.split(SPACE).filter((text) => text !== '');
  if (texts.length !== FIELDS.length)
    return {
      problem: `has ${texts.length} fields, not the five of minute, hour, day of month, month and day of week`,
    };
  const read = texts.map((text, index) => parseField(text, FIELDS[index]!));
  for (const field of read) if (typeof field === 'string') return { problem: field };
  const [minutes, hours, days, months, weekdays] = read as readonly ReadField[];
  return {
    minutes: minutes!.values,
    hours: hours!.values,
    days: days!.values,
    months: months!.values,
    weekdays: weekdays!.values,
    bothDays: days!.any || weekdays!.any,
  };
}

/** Why Kubernetes would refuse the expression, or nothing. */
export function cronProblem(expression: string): string | undefined {
  const read = parseCron(expression);
  return 'problem' in read ? read.problem : undefined;
}

/** Whether no day is in it, as none is the 31st of February. Kubernetes takes such a schedule, and never starts anything by it. */
export function neverComes(schedule: CronSchedule): boolean {
  if ('delaySeconds' in schedule) return false;
  const { minutes, hours, days, months, weekdays, bothDays } = schedule;
  const someDay = [...months].some((month) => [...days].some((day) => day <= longest(month)));
  const someWeekday = months.size > 0 && weekdays.size > 0;
  const comes = bothDays ? someDay && someWeekday : someDay || someWeekday;
  return !comes || minutes.size === 0 || hours.size === 0;
}

function longest(month: number): number {
  // The last day of a month is the one before the first of the next; 2024 has a 29th of February.
  return new Date(Date.UTC(2024, month, 0)).getUTCDate();
}

function parseAlias(expression: string): CronSchedule | { readonly problem: string } {
  if (Object.hasOwn(CRON_ALIASES, expression)) return parseCron(CRON_ALIASES[expression]!);
  const delay = expression.startsWith('@every ') ? goDurationSeconds(expression.slice('@every '.length)) : undefined;
  // constantdelay.go: less than a second is a second.
  if (delay !== undefined) return { delaySeconds: Math.max(1, Math.floor(delay)) };
  return { problem: `is none of ${Object.keys(CRON_ALIASES).join(', ')} and @every <duration>` };
}

function parseField(text: string, field: Field): ReadField | string {
  const values = new Set<number>();
  let any = false;
  for (const part of text.split(',').filter((each) => each !== '')) {
    const range = parsePart(part, field);
    if (typeof range === 'string') return `${range} in the ${field.name} ${show(text)}`;
    for (let value = range.low; value <= range.high; value += range.step) values.add(value);
    any ||= range.any;
  }
  return { values, any };
}

interface Range {
  readonly low: number;
  readonly high: number;
  readonly step: number;
  readonly any: boolean;
}

function parsePart(part: string, field: Field): Range | string {
  const { min, max, names } = field;
  const [range = '', stepText, ...more] = part.split('/');
  if (more.length > 0) return `${show(part)} has two steps`;
  const step = stepText === undefined ? 1 : wholeNumber(stepText);
  if (step === undefined || step === 0) return `the step ${show(stepText)} is no positive number`;
  const bounds = range.split('-');
  // What comes after the hyphen of `*-5` is not looked at. With a step of its own, `*` is no longer any day.
  if (bounds[0] === '*' || bounds[0] === '?') return { low: min, high: max, step, any: step === 1 };
  if (bounds.length > 2) return `${show(range)} is no range`;
  const read = bounds.map((bound) => numberOf(bound, field));
  for (const [index, value] of read.entries())
    if (value === undefined || value < min || value > max)
      return `${show(bounds[index])} is not ${names ? `${names[0]} to ${names.at(-1)} or ` : ''}${min} to ${max}`;
  const [low, high = stepText === undefined ? low : max] = read as [number, number?];
  if (low > high) return `the range ${show(range)} ends before it begins`;
  return { low, high, step, any: false };
}

function numberOf(text: string, { names, min }: Field): number | undefined {
  const index = names?.indexOf(text.toLowerCase()) ?? -1;
  return index < 0 ? wholeNumber(text) : index + min;
}

/** As strconv.Atoi reads it, which takes a sign; a minus of a range's bound has been taken for a hyphen before. */
function wholeNumber(text: string): number | undefined {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
  return value === undefined || value < 0 || value >= 2 ** 63 ? undefined : Math.abs(value);
}
