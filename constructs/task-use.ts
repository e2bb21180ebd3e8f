import type { PodStep, TaskStep } from '../lib/graph/graph.ts';
import type { Hole } from '../lib/pods/holes.ts';
import type { JobLayer, JobOverride } from '../lib/pods/job-template.ts';
import type { Layer } from '../lib/pods/layer.ts';
import type { PodSettings } from '../lib/pods/settings/pod-settings.ts';
import type { ValuedSettings } from '../lib/pods/settings/valued-settings.ts';
import type { Spot } from '../lib/pods/settings/spot.ts';
import type { PodTemplate } from '../lib/pods/template.ts';
import type { Problem } from '../lib/values/problems.ts';
import type { Shape, ValuesIn } from '../lib/values/shape.ts';
import type { ObjectSchema } from '../lib/values/schema.ts';
import { cachePolicy, cacheProblems, type Cache } from './cache.ts';
import { InputValues, titleOf } from './input-values.ts';
import type { Lock } from './lock.ts';
import { retryPolicy } from './retries.ts';
import { seconds } from './settings.ts';
import { references, toSource } from './sources.ts';
import { StepBase, type Given } from './step-base.ts';
import { jobLayers, stepJob, stepJobProblems } from './step-job.ts';
import { StepTemplate } from './step-template.ts';
import type { ExecutionSettings, Task } from './task.ts';
import { valueIn } from './task-values.ts';
import type { AnyWorkflow } from './workflow.ts';

/** Values for all the inputs of a task; those with a default may be left out. */
export type GivenInputs<I extends Shape, Scope> = {
  readonly [Name in keyof ValuesIn<I>]: Given<ValuesIn<I>[Name], Scope>;
};

/**
 * What a step changes of its task. Pods and Jobs are merged field by field; everything else replaces. Values in them may
 * be inputs of the workflow and outputs of other steps: they are filled in when the step starts.
 */
export type StepOverride<Scope = never> = Omit<ExecutionSettings, keyof PodSettings | 'job' | 'cache'> &
  ValuedSettings<Scope> & { readonly job?: JobOverride<Scope>; readonly cache?: Cache | false };

/** What a use of a task needs to know of it. */
export interface TaskUseProps {
  readonly task: Task<Shape, Shape>;
  /** Values for its inputs. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** What the use gives. @default what the task gives */
  readonly outputs?: ObjectSchema;
  /** What its attempts are, whatever is said of single ones. @default as the task and its overrides say */
  readonly runAs?: 'Job';
}

/** How a use of a task runs, with all that was said of it. */
export interface DecidedUse {
  readonly execution: ExecutionSettings;
  /** What is known of its pod at synth. */
  readonly template: PodTemplate;
  /** What an override says that its attempts are. */
  readonly runAs: ExecutionSettings['runAs'];
  readonly hasSpot: boolean;
  readonly hasLocks: boolean;
  /** What waits for values, by its place. */
  readonly holes: readonly (readonly [place: string, hole: Hole])[];
}

/** A step that runs a task, once or more: what it gives the task's inputs, and what it changes of how the task runs. `O` is what the step gives. */
export abstract class TaskUse<O extends Shape, Scope> extends StepBase<O, Scope> {
  readonly #task: Task<Shape, Shape>;
  readonly #inputs: InputValues;
  readonly #overrides: ExecutionSettings[] = [];
  readonly #locks: Lock<Scope>[] = [];
  readonly #template: StepTemplate;
  readonly #runAs: 'Job' | undefined;

  protected constructor(workflow: AnyWorkflow, id: string, { task, inputs, outputs, runAs }: TaskUseProps) {
    super(workflow, id, outputs ?? task.outputSchema);
    this.#task = task;
    this.#runAs = runAs;
    this.#inputs = new InputValues({ title: titleOf('task', task.name), inputSchema: task.inputSchema }, inputs);
    const use = { task, given: (input: string) => this.#inputs.of(input), ...(runAs && { runAs }) };
    this.#template = new StepTemplate(this, workflow, id, use);
  }

  /** @internal */
  abstract override toNode(): PodStep;

  /** Changes how this step runs, and what its pod looks like, for this workflow only. A later override is merged over earlier ones. */
  override(override: StepOverride<Scope>): this {
    // References are what settings take for values of their own; merging takes them whole.
    const settings = override as ExecutionSettings;
    this.#overrides.push(settings);
    this.#template.override(settings);
    return this.changed();
  }

  /**
   * Runs this step only while it has these locks, beside those of its task: it takes all of them when it starts, and gives
   * them back when its attempt has ended. Each item of a map has its own.
   *
   * @example
   * step('load', load, { site: inputs.site }).lock(mutex(['db', inputs.site]), semaphore('connections', 10));
   */
  lock(...locks: readonly Lock<Scope>[]): this {
    this.#locks.push(...locks);
    return this.changed();
  }

  /** The layers of the pod that this step's attempts start from, low to high. */
  get layers(): readonly Layer[] {
    return this.#template.layers;
  }

  /** The pod template that its layers make. */
  get podTemplate(): PodTemplate {
    return this.#template.compiled.template;
  }

  /** @internal The template of an attempt on spot nodes, where the step itself asks for them. */
  get spotTemplate(): PodTemplate {
    return this.#template.onSpot;
  }

  /** @internal By whose word an attempt goes to spot nodes in a run that says this of them; by nobody's it goes anywhere. */
  spotIn(run: boolean | Spot | undefined): 'step' | 'run' | undefined {
    const { spot } = this.#template;
    if (run === false || this.#runAs === 'Job') return undefined;
    if (spot !== undefined) return spot ? 'step' : undefined;
    return run ? 'run' : undefined;
  }

  /** @internal The layers in such a run. */
  layersIn(run: boolean | Spot | undefined): readonly Layer[] {
    return this.spotIn(run) === 'step' ? this.layers : this.#template.layersAnywhere;
  }

  /** @internal What the graph carries of it, but for its kind. */
  protected fields(): Omit<TaskStep, 'kind'> {
    const { outputSchema, outputs, name } = this.#task;
    const {
      retries,
      systemRetries,
      pendingTimeout,
      attemptTimeout,
      timeout,
      runAs,
      continueOnFailure,
      cache,
      spot: onSpot,
    } = this.#execution;
    const policy = retryPolicy(retries);
    const { name: template, holes, spot } = this.#template.compiled;
    const job = stepJob(this.#jobLayers);
    return {
      ...this.common(),
      task: name,
      template,
      inputs: this.#inputs.sources(this.workflow),
      ...(holes !== undefined && { pod: toSource(holes, this.workflow) }),
      ...(spot !== undefined && { spot: toSource(spot, this.workflow) }),
      ...((onSpot === false || onSpot === null) && { runSpot: false }),
      ...(Object.keys(outputs).length > 0 && { outputs: outputSchema }),
      ...(policy && { retries: policy }),
      ...(systemRetries !== undefined && { systemRetries }),
      ...(pendingTimeout && { pendingTimeoutSeconds: seconds(pendingTimeout) }),
      ...(attemptTimeout && { attemptTimeoutSeconds: seconds(attemptTimeout) }),
      ...(timeout && { timeoutSeconds: seconds(timeout) }),
      ...(runAs === 'Job' && { runAs, ...(job && { job: toSource(job.job, this.workflow) }) }),
      ...(continueOnFailure && { continueOnFailure }),
      ...(this.#allLocks.length > 0 && { locks: this.#allLocks.map((lock) => lock.toGraph(this.workflow)) }),
      ...(cache && { cache: cachePolicy(cache, this.#task, this.#template.content, this.workflow) }),
    };
  }

  get #allLocks(): readonly Lock[] {
    const value = valueIn(this.#task, (input) => this.#inputs.of(input));
    return [...this.#task.locks.map((lock) => lock.fill(value)), ...(this.#locks as readonly Lock[])];
  }

  get #jobLayers(): readonly JobLayer[] {
    const { runAs } = this.#execution;
    return jobLayers(this.#task, {
      scope: this,
      runAs,
      overrides: this.#overrides,
      given: (input) => this.#inputs.of(input),
    });
  }

  /** @internal Whether its attempts are Jobs. */
  get runsAsJob(): boolean {
    return this.#execution.runAs === 'Job';
  }

  /** @internal What is wrong with the Job around its pod once one more layer is over it; without it, nothing but what the step tells itself. */
  jobProblems(more: readonly JobLayer[] = []): readonly Problem[] {
    const hasOutputs = Object.keys(this.#task.outputs).length > 0;
    const { runAs } = this.#execution;
    const indexed = this.#runAs === 'Job';
    return [...stepJobProblems([...this.#jobLayers, ...more], { runAs, hasOutputs, indexed })];
  }

  get #execution(): ExecutionSettings {
    const runAs = this.#runAs && { runAs: this.#runAs };
    return Object.assign({}, this.#task.execution, ...this.#overrides, runAs) as ExecutionSettings;
  }

  /** @internal All that decides how it runs, for a kind that cannot do all of it. */
  protected get decided(): DecidedUse {
    const { template, spot, places } = this.#template.compiled;
    const runAs = this.#overrides.findLast((override) => override.runAs !== undefined)?.runAs;
    return {
      execution: this.#execution,
      template,
      runAs,
      hasSpot: spot !== undefined,
      hasLocks: this.#allLocks.length > 0,
      holes: [
        ...places.map(({ path, hole }) => [`podTemplate.${path}`, hole] as const),
        ...[...(stepJob(this.#jobLayers)?.places ?? [])].map(([path, hole]) => [`job.${path}`, hole] as const),
      ],
    };
  }

  protected override *problems(): Generator<Problem> {
    yield* super.problems();
    yield* this.#inputs.problems(this.workflow);
    for (const [index, lock] of this.#allLocks.entries())
      for (const reference of lock.references) yield* this.foreign(reference, `locks[${index}].key`);
    yield* this.jobProblems();
    for (const [path, hole] of stepJob(this.#jobLayers)?.places ?? [])
      for (const reference of references(hole)) yield* this.foreign(reference, `job.${path}`);
    yield* cacheProblems(this.#execution.cache || undefined, this.#task);
    const { nodeProblems } = this;
    yield* nodeProblems;
    if (nodeProblems.length > 0) return;
    if (this.#execution.systemRetries === 0 && this.#template.compiled.spot !== undefined)
      yield {
        path: 'systemRetries',
        message: 'is 0, so that no attempt goes to spot nodes: the last one that the platform may fail goes elsewhere',
        fix: 'allow one, or set spot: false',
      };
    for (const { path, hole } of this.#template.compiled.places)
      for (const reference of references(hole)) yield* this.foreign(reference, `podTemplate.${path}`);
  }

  /** @internal Why the pod template cannot be merged. */
  override get nodeProblems(): readonly Problem[] {
    return this.#template.problems;
  }
}

/** A task's step of whatever task and workflow. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- shapes and scopes fit only themselves on purpose; only `any` fits all
export type AnyTaskStep = TaskUse<any, any>;
