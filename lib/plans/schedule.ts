import { cronProblem, neverComes, parseCron } from '../values/cron.ts';
import { show, type Problem } from '../values/problems.ts';

/** The shortest interval, in seconds. */
const SHORTEST = 10;

/** How long something takes: cdk8s' `Duration` is one. */
export interface Span {
  toMilliseconds(): number;
}

/** When a launch plan fires. */
export class Schedule {
  /** As `spec.schedule` of a CronJob. */
  readonly expression: string;
  /** @internal The interval of one that fires more often than once a minute, in seconds: the controller starts the runs in between. */
  readonly withinMinute: number | undefined;
  readonly #problem: string | undefined;

  private constructor(expression: string, withinMinute?: number, problem?: string) {
    this.expression = expression;
    this.withinMinute = withinMinute;
    this.#problem = problem;
  }

  /**
   * A cron expression of five fields, or an alias such as `@hourly`, by Kubernetes' rules: no seconds, Sunday is 0, no
   * `L` or `#`. One that Kubernetes would refuse is an error at synth; one without a day that there is, such as the 31st
   * of February, is a warning. `npx cdk8s-workflows schedule '<expression>'` shows its next times.
   */
  static cron(expression: string): Schedule {
    return new Schedule(String(expression));
  }

  /**
   * In equal intervals, in whole seconds, of at least ten. Minutes that make up an hour and hours that make up a day begin with
   * it, as cron: `Duration.minutes(15)` is `*\/15 * * * *`. Others count from the last run, as `@every`. Intervals below a minute
   * need a controller, and begin with the epoch: each 10 seconds are :00, :10, :20 and so on.
   */
  static every(interval: Span): Schedule {
    if (typeof (interval as Partial<Span>).toMilliseconds !== 'function')
      return new Schedule('* * * * *', undefined, `must be a Duration of cdk8s, not ${show(interval)}`);
    const seconds = interval.toMilliseconds() / 1000;
    const [minutes, hours] = [seconds / 60, seconds / 3600];
    if (!Number.isInteger(seconds) || seconds < SHORTEST)
      return new Schedule('* * * * *', undefined, `must be whole seconds, at least ${SHORTEST}, not ${seconds}`);
    if (seconds < 60) return new Schedule('* * * * *', seconds);
    if (minutes === 1) return new Schedule('* * * * *');
    if (hours === 1) return new Schedule('0 * * * *');
    if (hours === 24) return new Schedule('0 0 * * *');
    if (Number.isInteger(minutes) && 60 % minutes === 0) return new Schedule(`*/${minutes} * * * *`);
    if (Number.isInteger(hours) && 24 % hours === 0) return new Schedule(`0 */${hours} * * *`);
    return new Schedule(`@every ${seconds}s`);
  }

  /** What is wrong with it, above all why Kubernetes would refuse it; or nothing. */
  get problem(): string | undefined {
    const wrong = cronProblem(this.expression);
    return this.#problem ?? (wrong === undefined ? undefined : `${show(this.expression)} ${wrong}`);
  }

  /** @internal What Kubernetes takes, and is likely a mistake. */
  *warnings(path: string): Generator<Problem> {
    const schedule = parseCron(this.expression);
    if ('problem' in schedule) return;
    if (neverComes(schedule))
      yield {
        path,
        message: `${show(this.expression)} names no day that there is: it never fires`,
        fix: 'leave schedule out if that is meant',
      };
    // The CronJob controller names Jobs by the minute. (pkg/controller/cronjob: getTimeHashInMinutes)
    if ('delaySeconds' in schedule && schedule.delaySeconds < 60)
      yield {
        path,
        message: `${show(this.expression)} starts one run a minute: Kubernetes makes no more`,
        fix: 'use Schedule.every',
      };
  }
}
