import { cronProblem, neverComes, parseCron } from '../lib/values/cron.ts';
import { show, type Problem } from '../lib/values/problems.ts';

/** When a launch plan fires. */
export class Schedule {
  /** As `spec.schedule` of a CronJob. */
  readonly expression: string;

  private constructor(expression: string) {
    this.expression = expression;
  }

  /**
   * A cron expression of five fields, or an alias such as `@hourly`, by Kubernetes' rules: no seconds, Sunday is 0, no
   * `L` or `#`. One that Kubernetes would refuse is an error at synth; one without a day that there is, such as the 31st
   * of February, is a warning. `npx cdk8s-workflows schedule '<expression>'` shows its next times.
   */
  static cron(expression: string): Schedule {
    return new Schedule(expression);
  }

  /** Why Kubernetes would refuse it, or nothing. */
  get problem(): string | undefined {
    return cronProblem(this.expression);
  }

  /** @internal What Kubernetes takes, and is likely a mistake. */
  *warnings(path: string): Generator<Problem> {
    const schedule = parseCron(this.expression);
    if (!('problem' in schedule) && neverComes(schedule))
      yield {
        path,
        message: `${show(this.expression)} names no day that there is: it never fires`,
        fix: 'leave schedule out if that is meant',
      };
  }
}
