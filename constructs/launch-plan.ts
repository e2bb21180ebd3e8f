import { ApiObject, type Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { annotations, NEVER } from '../lib/graph/labels.ts';
import type { ClusterSelector } from '../lib/graph/placement.ts';
import { singleTaskFile } from '../lib/pods/explanation.ts';
import type { Layer } from '../lib/pods/layer.ts';
import { timeZoneProblem } from '../lib/values/cron.ts';
import { dnsLabelProblem, labelValueProblem, qualifiedNameProblem } from '../lib/values/names.ts';
import type { JsonObject } from '../lib/values/json.ts';
import { show, suggest, type Problem } from '../lib/values/problems.ts';
import { checkValue, withDefaults } from '../lib/values/schema.ts';
import type { Shape, ValuesIn } from '../lib/values/shape.ts';
import { placeHere } from './cluster.ts';
import { later } from './later.ts';
import { CallSite } from './call-site.ts';
import { explainAtSynth } from './explain.ts';
import { layersOf, mergedOrProblems, policyNote, taskSpotLayers } from './layers.ts';
import { lockedAloneProblem } from './lock.ts';
import { claimName } from './names.ts';
import { reportProblems } from './problems.ts';
import {
  overrideProblems,
  runJob,
  runLabels,
  sharingProblems,
  stepJobOverrideProblems,
  type RunSettings,
} from './run-job.ts';
import type { Schedule } from './schedule.ts';
import { seconds } from './settings.ts';
import { inputsInPod, taskJob, taskLabels, taskLayers } from './task-template.ts';
import type { Task } from './task.ts';
import { checkObject } from './validate-manifests.ts';
import type { Launchable } from './plan-reference.ts';
import type { Workflow } from './workflow.ts';

/** What a plan launches: a workflow, which the controller sequences, or one task, which Kubernetes runs by itself. */
export type Launched<I extends Shape, R extends object = object> =
  | { readonly workflow: Workflow<I, R>; readonly task?: never }
  | { readonly task: Task<I, Shape>; readonly workflow?: never };

export interface LaunchPlanSettings<I extends Shape> extends RunSettings {
  /** Name of the plan and its CronJob; a DNS label of at most 52 characters. @default the construct's id */
  readonly name?: string;
  /** When it fires by itself. @default never: it is launched by hand */
  readonly schedule?: Schedule;
  /** The zone that the schedule is read in, such as `Europe/Berlin`. @default that of the cluster's controller manager, most often UTC */
  readonly timeZone?: string;
  /** Values for inputs, which a launch may change. @default the inputs' own defaults */
  readonly inputs?: Partial<ValuesIn<I>>;
  /** Values for inputs, which a launch may not change. @default none */
  readonly fixedInputs?: Partial<ValuesIn<I>>;
  /** What happens when it fires while its last run still goes on. @default 'Forbid' */
  readonly concurrencyPolicy?: 'Allow' | 'Forbid' | 'Replace';
  /** Switches the schedule off. @default false */
  readonly suspended?: boolean;
  /** How late a run may start; later it is missed. @default Kubernetes' own: no limit */
  readonly startingDeadline?: Duration;
  /** How many succeeded runs are kept. @default 3 */
  readonly successfulRunsHistoryLimit?: number;
  /** How many failed runs are kept. @default 3 */
  readonly failedRunsHistoryLimit?: number;
  /** Where it runs. @default the fleet's default cluster, or its only one */
  readonly cluster?: ClusterSelector;
}

export type LaunchPlanProps<I extends Shape, R extends object = object> = LaunchPlanSettings<I> & Launched<I, R>;

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
  /** Whether the cluster that is being synthesized is the one the plan was placed on. In an app without a fleet it always is. */
  readonly placedHere: boolean;
  readonly #props: LaunchPlanProps<I, R>;
  readonly #site = new CallSite();

  constructor(scope: Construct, id: string, props: LaunchPlanProps<I, R>) {
    super(scope, id);
    this.name = props.name ?? id;
    this.#props = props;
    const taken = claimName(this, 'launch plan', this.name);
    const here = placeHere(this, this.name, props.cluster);
    reportProblems(this, () => [...taken, ...(typeof here === 'object' ? [here] : []), ...this.#problems()]);
    this.placedHere = here === true;
    if (this.placedHere) this.#emit();
  }

  /** @internal What a step that launches it must know of it. */
  get launchable(): Launchable {
    const { workflow, fixedInputs = {}, inputs = {} } = this.#props;
    const { inputSchema } = this.#target;
    return {
      name: this.name,
      inputSchema,
      ...(workflow && { outputSchema: workflow.outputSchema }),
      fixedInputs: Object.keys(fixedInputs),
      filledInputs: [...Object.keys(inputs), ...Object.keys(fixedInputs)],
      scope: this,
    };
  }

  /** The inputs of a run that is launched without any. */
  get #inputs(): JsonObject {
    return { ...this.#props.inputs, ...this.#props.fixedInputs } as JsonObject;
  }

  // What is in the pod of a single task was written there at synth, and nobody would change it there.
  get #fixedInputs(): readonly string[] {
    const { fixedInputs = {}, task } = this.#props;
    return [...new Set([...Object.keys(fixedInputs), ...(task ? inputsInPod(task) : [])])].sort();
  }

  get #target() {
    return this.#props.workflow ?? this.#props.task;
  }

  /** What the plan changes of the pods. */
  get #layers() {
    const { serviceAccount, podTemplate } = this.#props;
    return layersOf('plan override', this.node.path, this.#site, { serviceAccount, podTemplate });
  }

  /** The pod of a single task. */
  #taskLayers(task: Task<I, Shape>): readonly Layer[] {
    return taskLayers(this, task, {
      inputs: this.#taskInputs(task),
      overrides: [...taskSpotLayers(task), ...this.#layers],
      kind: 'job',
      podLabels: taskLabels(task, this.name),
    });
  }

  #taskInputs({ inputSchema }: Task<I, Shape>): JsonObject {
    return withDefaults(inputSchema, this.#inputs);
  }

  #taskJob(task: Task<I, Shape>) {
    const { timeout, job } = this.#props;
    return taskJob(this, task, {
      template: mergedOrProblems(this.#taskLayers(task)).merged?.template ?? {},
      inputs: this.#taskInputs(task),
      override: { ...(timeout && { timeout }), ...(job && { job }) },
      kind: 'plan override',
    });
  }

  get #job() {
    const { workflow, task } = this.#props;
    if (workflow !== undefined) return runJob(workflow, this.#inputs, this.#props, this.name);
    const { metadata, spec } = this.#taskJob(task);
    const ttl = this.#props.ttlAfterFinished;
    const notes = { ...this.#props.annotations, ...metadata?.annotations, ...this.#policy };
    return {
      metadata: {
        labels: { ...this.#props.labels, ...metadata?.labels, ...taskLabels(task, this.name) },
        ...(Object.keys(notes).length > 0 && { annotations: notes }),
      },
      spec: { ...spec, ...(ttl && { ttlSecondsAfterFinished: seconds(ttl) }) },
    };
  }

  // A launch may change the pod of a task: the policy goes with it, as it goes with the template of a step.
  get #policy(): Readonly<Record<string, string>> | undefined {
    const policy = policyNote(this, 'Job');
    return policy === undefined ? undefined : { [annotations.policy]: policy };
  }

  #emit(): void {
    const {
      schedule,
      timeZone,
      suspended = false,
      startingDeadline,
      concurrencyPolicy = 'Forbid',
      workflow,
      task,
    } = this.#props;
    const ownLabels = workflow ? runLabels(workflow, this.name) : taskLabels(task, this.name);
    const cronJob = new ApiObject(this, 'CronJob', {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: {
        name: this.name,
        labels: { ...this.#props.labels, ...ownLabels },
        annotations: {
          ...this.#props.annotations,
          [annotations.fixedInputs]: JSON.stringify(this.#fixedInputs),
        },
      },
      spec: {
        schedule: schedule?.expression ?? NEVER,
        ...(timeZone !== undefined && { timeZone }),
        concurrencyPolicy,
        suspend: suspended || schedule === undefined,
        ...(startingDeadline && { startingDeadlineSeconds: seconds(startingDeadline) }),
        successfulJobsHistoryLimit: this.#props.successfulRunsHistoryLimit ?? 3,
        failedJobsHistoryLimit: this.#props.failedRunsHistoryLimit ?? 3,
        jobTemplate: later(() => this.#job),
      },
    });
    const origins = () => (task === undefined ? undefined : mergedOrProblems(this.#taskLayers(task)).merged?.origins);
    checkObject(cronJob, this, { launches: workflow, origins });
    if (task !== undefined)
      explainAtSynth(this, () => [
        { file: singleTaskFile('CronJob', this.name), step: task.name, layers: this.#taskLayers(task) },
      ]);
    else
      explainAtSynth(
        this,
        () =>
          workflow.podSteps.map(({ name, step }) => ({
            file: step.toNode().template,
            step: name,
            layers: [...step.layers, ...this.#layers],
          })),
        this.name,
      );
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
    if (this.#props.task !== undefined) {
      yield* mergedOrProblems(this.#taskLayers(this.#props.task)).problems;
      yield* this.#taskJob(this.#props.task).problems;
      yield* lockedAloneProblem(this.#props.task.locks);
      if (this.#props.priority !== undefined)
        yield {
          path: 'priority',
          message: 'says nothing of one task, which no controller sequences',
          fix: 'leave it out',
        };
    } else {
      yield* sharingProblems(this.#props.workflow, this.#props);
      yield* stepJobOverrideProblems(this.#props.workflow, this.#props, { kind: 'plan override', source: this.name });
    }
    yield* this.#inputProblems();
  }

  *#inputProblems(): Generator<Problem> {
    const { inputs = {}, fixedInputs = {}, schedule } = this.#props;
    const { properties, required } = this.#target.inputSchema;
    for (const [field, values] of Object.entries({ inputs, fixedInputs }))
      for (const [name, value] of Object.entries(values)) {
        const path = `${field}.${name}`;
        const schema = properties[name];
        if (schema === undefined)
          yield {
            path,
            message: `${show(this.#target.name)} has no such input`,
            fix: suggest(name, Object.keys(properties)),
          };
        else if (value !== undefined) yield* checkValue(schema, value as never, path);
        if (field === 'inputs' && name in fixedInputs)
          yield { path, message: 'is both a default and a fixed input', fix: 'keep one' };
      }
    const filled = this.#inputs;
    const missing = required.filter((name) => filled[name] === undefined);
    // Nobody is there to give an input when a plan fires by itself, nor to a task, whose inputs are written into its pod.
    if (schedule !== undefined || this.#props.task !== undefined)
      for (const name of missing)
        yield { path: `inputs.${name}`, message: 'is missing', fix: 'give it in inputs or fixedInputs' };
  }
}

/** What Kubernetes would refuse of labels and annotations. */
export function* labelProblems(
  given: Readonly<Record<string, string>> = {},
  notes: Readonly<Record<string, string>> = {},
): Generator<Problem> {
  for (const [key, value] of Object.entries(given)) {
    const wrong = qualifiedNameProblem(key) ?? labelValueProblem(value);
    if (wrong !== undefined) yield { path: `labels.${key}`, message: `${show(value)} ${wrong}` };
  }
  for (const key of Object.keys(notes)) {
    const wrong = qualifiedNameProblem(key);
    if (wrong !== undefined) yield { path: `annotations.${key}`, message: wrong };
  }
}
