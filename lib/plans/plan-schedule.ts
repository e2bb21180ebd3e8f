import { parseCron } from '../values/cron.ts';
import { unionCron } from '../values/cron-union.ts';
import type { Problem } from '../values/problems.ts';
import type { Schedule } from './schedule.ts';

/** The schedules of a plan as the one that its CronJob has. */
export class PlanSchedule {
  /** As `spec.schedule` of the CronJob. */
  readonly expression: string;
  /** The interval of one that fires more often than once a minute, in seconds. */
  readonly withinMinute: number | undefined;
  /** The cron expressions of several, where the CronJob's fires at other times, too. */
  readonly several: readonly string[] | undefined;
  readonly #schedules: readonly Schedule[];

  /** @param schedules at least one */
  constructor(schedules: readonly Schedule[]) {
    this.#schedules = schedules;
    const [first] = schedules as [Schedule];
    this.expression = first.expression;
    this.withinMinute = first.withinMinute;
    if (schedules.length === 1 || [...this.problems()].length > 0) return;
    const cron = [...new Set(schedules.map(({ expression }) => expression))];
    const { expression, exact } = unionCron(cron);
    this.expression = expression;
    this.several = exact ? undefined : cron;
  }

  *problems(): Generator<Problem> {
    for (const [path, schedule] of this.#paths()) {
      if (schedule.problem !== undefined) yield { path, message: schedule.problem };
      else if (this.#schedules.length > 1 && countsFromLast(schedule))
        yield {
          path,
          message: 'is an interval that no clock shows, which cannot be one of several schedules',
          fix: 'use Schedule.cron, or an interval that makes up an hour or a day',
        };
    }
  }

  *warnings(): Generator<Problem> {
    for (const [path, schedule] of this.#paths()) yield* schedule.warnings(path);
  }

  #paths(): (readonly [string, Schedule])[] {
    const [only, ...others] = this.#schedules;
    if (others.length === 0) return [['schedule', only!]];
    return this.#schedules.map((schedule, index) => [`schedule[${index}]`, schedule]);
  }
}

function countsFromLast({ expression, withinMinute }: Schedule): boolean {
  return withinMinute !== undefined || 'delaySeconds' in parseCron(expression);
}
