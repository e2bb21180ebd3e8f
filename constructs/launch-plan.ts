import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { annotations, NEVER } from '../lib/graph/labels.ts';
import { timeZoneProblem } from '../lib/values/cron.ts';
import { dnsLabelProblem } from '../lib/values/names.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import type { Shape } from '../lib/values/shape.ts';
import { CallSite } from './call-site.ts';
import { labelProblems } from './label-problems.ts';
import { later } from './later.ts';
import { LaunchPlanInputs } from './launch-plan-inputs.ts';
import type { LaunchPlanJob } from './launch-plan-job.ts';
import type { LaunchPlanProps } from './launch-plan-settings.ts';
import { LaunchPlanTask } from './launch-plan-task.ts';
import { LaunchPlanWorkflow } from './launch-plan-workflow.ts';
import { claimName } from './names.ts';
import { backupNotes, placeHere, type PlanPlace } from './plan-place.ts';
import type { Launchable } from './plan-reference.ts';
import { reportProblems } from './problems.ts';
import { overrideProblems } from './run-job.ts';
import { seconds } from './settings.ts';
import type { Task } from './task.ts';
import type { AnyWorkflow } from './workflow.ts';

/**
 * A way to launch a workflow or task: its inputs, schedule and settings. Synthesizes to a CronJob, which is suspended
 * when it has no schedule. `kubectl create job --from=cronjob/<plan> <run>` launches it by hand.
 *
 * @example
 * new LaunchPlan(this, 'etl-site-a', {
 *   workflow: etl,
 *   fixedInputs: { site: 'site-a' },
 *   schedule: Schedule.cron('0 *\/6 * * *'),
 *   timeZone: 'Europe/Berlin',
 * });
 */
export class LaunchPlan<I extends Shape, R extends object = object> extends Construct {
  declare readonly outputTypes?: R;
  readonly name: string;
  /** Whether the plan is on the cluster that is being synthesized, active or as a backup. In an app without a fleet it always is. */
  readonly placedHere: boolean;
  readonly #place: PlanPlace;
  readonly #props: LaunchPlanProps<I, R>;
  readonly #inputs: LaunchPlanInputs;
  readonly #job: LaunchPlanJob;

  constructor(scope: Construct, id: string, props: LaunchPlanProps<I, R>) {
    super(scope, id);
    this.name = props.name ?? id;
    this.#props = props;
    this.#inputs = new LaunchPlanInputs(props.inputs, props.fixedInputs);
    const run = { plan: this, settings: props, inputs: this.#inputs.values, site: new CallSite() };
    this.#job =
      props.task === undefined
        ? new LaunchPlanWorkflow(props.workflow as unknown as AnyWorkflow, run)
        : new LaunchPlanTask(props.task as unknown as Task<Shape, Shape>, run);
    const taken = claimName(this, 'launch plan', this.name);
    this.#place = placeHere(this, this.name, props, props.workflow);
    reportProblems(this, () => [...taken, ...this.#place.problems, ...this.#problems()]);
    this.placedHere = this.#place.role !== 'elsewhere';
    if (this.placedHere) this.#emit();
  }

  /** @internal What a step that launches it must know of it. */
  get launchable(): Launchable {
    const { workflow } = this.#props;
    return {
      name: this.name,
      inputSchema: this.#target.inputSchema,
      ...(workflow && { outputSchema: workflow.outputSchema }),
      fixedInputs: this.#inputs.fixed,
      filledInputs: this.#inputs.filled,
      scope: this,
    };
  }

  get #target() {
    return this.#props.workflow ?? this.#props.task;
  }

  #emit(): void {
    const { schedule, timeZone, suspended = false, startingDeadline, concurrencyPolicy = 'Forbid' } = this.#props;
    const off = suspended || schedule === undefined;
    const fixed = [...new Set([...this.#inputs.fixed, ...this.#job.writtenInputs])].sort();
    const cronJob = new ApiObject(this, 'CronJob', {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: {
        name: this.name,
        labels: { ...this.#props.labels, ...this.#job.labels },
        annotations: {
          ...this.#props.annotations,
          [annotations.fixedInputs]: JSON.stringify(fixed),
          ...backupNotes(this.#place, off),
        },
      },
      spec: {
        schedule: schedule?.expression ?? NEVER,
        ...(timeZone !== undefined && { timeZone }),
        concurrencyPolicy,
        suspend: off || this.#place.role === 'backup',
        ...(startingDeadline && { startingDeadlineSeconds: seconds(startingDeadline) }),
        successfulJobsHistoryLimit: this.#props.successfulRunsHistoryLimit ?? 3,
        failedJobsHistoryLimit: this.#props.failedRunsHistoryLimit ?? 3,
        jobTemplate: later(() => this.#job.template),
      },
    });
    this.#job.check(cronJob);
  }

  *#problems(): Generator<Problem> {
    const { schedule, timeZone } = this.#props;
    // The CronJob controller adds up to 11 characters to name a run, and a run's name is a label of its pods.
    const wrongName = dnsLabelProblem(this.name, 52);
    if (wrongName !== undefined) yield { path: 'name', message: `${show(this.name)} ${wrongName}` };
    if (schedule?.problem !== undefined)
      yield { path: 'schedule', message: `${show(schedule.expression)} ${schedule.problem}` };
    const wrongZone = timeZone === undefined ? undefined : timeZoneProblem(timeZone);
    if (wrongZone !== undefined) yield { path: 'timeZone', message: `${show(timeZone)} ${wrongZone}` };
    yield* labelProblems(this.#props.labels, this.#props.annotations);
    yield* overrideProblems(this.#props);
    yield* this.#job.problems();
    // Nobody is there to give an input when a plan fires by itself.
    yield* this.#inputs.problems(this.#target, schedule !== undefined || this.#job.needsAllInputs);
  }
}
