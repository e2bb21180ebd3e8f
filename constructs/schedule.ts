import { cronProblem } from '../lib/values/cron.ts';

/** When a launch plan fires. */
export class Schedule {
  /** As `spec.schedule` of a CronJob. */
  readonly expression: string;

  private constructor(expression: string) {
    this.expression = expression;
  }

  /**
   * A cron expression of five fields, or an alias such as `@hourly`, by Kubernetes' rules: no seconds, Sunday is 0, no
   * `L` or `#`. One that Kubernetes would refuse is an error at synth.
   */
  static cron(expression: string): Schedule {
    return new Schedule(expression);
  }

  /** Why Kubernetes would refuse it, or nothing. */
  get problem(): string | undefined {
    return cronProblem(this.expression);
  }
}
