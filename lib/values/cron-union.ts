import { CRON_ALIASES, parseCron, type CronFields } from './cron.ts';

/** One cron expression for several. */
export interface CronUnion {
  /** It fires whenever one of them does. */
  readonly expression: string;
  /** Whether it fires at no other time. */
  readonly exact: boolean;
}

/** Joins expressions that Kubernetes takes and that are no `@every`. */
export function unionCron(expressions: readonly string[]): CronUnion {
  const all = expressions.map((expression) => parseCron(expression) as CronFields);
  const joined = (field: 'minutes' | 'hours' | 'months') =>
    [...new Set(all.flatMap((each) => [...each[field]]))].sort((a, b) => a - b);
  const [minutes, hours, months] = [joined('minutes'), joined('hours'), joined('months')];
  const sameDays = all.every((each) => dayText(each) === dayText(all[0]!));
  const [day, weekday] = sameDays ? dayFields(expressions[0]!) : ['*', '*'];
  const fits = (minute: number, hour: number, month: number) =>
    all.some((each) => each.minutes.has(minute) && each.hours.has(hour) && each.months.has(month));
  return {
    expression: [list(minutes, 60), list(hours, 24), day, list(months, 12), weekday].join(' '),
    exact:
      sameDays && months.every((month) => hours.every((hour) => minutes.every((minute) => fits(minute, hour, month)))),
  };
}

function list(values: readonly number[], all: number): string {
  return values.length === all ? '*' : values.join(',');
}

function dayFields(expression: string): [string, string] {
  const [, , day, , weekday] = (CRON_ALIASES[expression] ?? expression).trim().split(/\s+/);
  return [day!, weekday!];
}

function dayText({ days, weekdays, bothDays }: CronFields): string {
  const sorted = (values: ReadonlySet<number>) => [...values].sort((a, b) => a - b).join();
  return `${sorted(days)} ${sorted(weekdays)} ${bothDays}`;
}
