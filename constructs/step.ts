import { Construct } from 'constructs';
import type { Role, TaskStep, ValueCondition, ValueSource } from '../lib/graph/graph.ts';
import type { JobLayer } from '../lib/pods/job-template.ts';
import { Hole } from '../lib/pods/holes.ts';
import type { Layer } from '../lib/pods/layer.ts';
import type { PodSettings } from '../lib/pods/settings/pod-settings.ts';
import type { ValuedSettings } from '../lib/pods/settings/valued-settings.ts';
import type { PodTemplate } from '../lib/pods/template.ts';
import { and, type Condition } from '../lib/values/condition.ts';
import { show, suggest, type Problem } from '../lib/values/problems.ts';
import { Reference, type AnyReference } from '../lib/values/reference.ts';
import type { Shape, ValuesIn, ValuesOut } from '../lib/values/shape.ts';
import { checkValue, withDefaults } from '../lib/values/schema.ts';
import { all, EndCondition } from './end-condition.ts';
import { reportProblems } from './problems.ts';
import { retryPolicy } from './retries.ts';
import { seconds } from './settings.ts';
import { jobLayers, stepJob, stepJobProblems } from './step-job.ts';
import { stepStatus, type StepStatus } from './step-status.ts';
import { StepTemplate } from './step-template.ts';
import { Task, type ExecutionSettings } from './task.ts';
import type { AnyWorkflow } from './workflow.ts';

/** A value for an input: itself, a reference to it, or a list or object with references in it. */
export type Given<T, Scope> =
  | T
  | Reference<T, Scope>
  | (T extends readonly (infer Item)[]
      ? readonly Given<Item, Scope>[]
      : T extends object
        ? { readonly [Field in keyof T]: Given<T[Field], Scope> }
        : never);

/** Values for all the inputs of a task; those with a default may be left out. */
export type GivenInputs<I extends Shape, Scope> = {
  readonly [Name in keyof ValuesIn<I>]: Given<ValuesIn<I>[Name], Scope>;
};

/** The outputs of a step, to be passed on to others. */
export type StepOutputs<O extends Shape, Scope> = {
  readonly [Name in keyof O]: Reference<ValuesOut<O>[Name & keyof ValuesOut<O>], Scope>;
};

/**
 * What a step changes of its task. Pods are merged field by field; everything else replaces. Values of the pod may be
 * inputs of the workflow and outputs of other steps: they are filled in when the step starts.
 */
export type StepOverride<Scope = never> = Omit<ExecutionSettings, keyof PodSettings> & ValuedSettings<Scope>;

export interface StepProps<I extends Shape, O extends Shape, Scope> {
  readonly task: Task<I, O>;
  readonly inputs: GivenInputs<I, Scope>;
}

/**
 * One use of a task in a workflow. `step('extract', extract, { ... })` in a workflow's function is the short way to
 * `new Step(workflow, 'extract', { task: extract, inputs: { ... } })`.
 */
export class Step<I extends Shape, O extends Shape, Scope> extends Construct {
  /** Its name in the graph: the construct's id. */
  readonly name: string;
  /** What it gives. Passing one on makes the other step wait for this one. */
  readonly outputs: StepOutputs<O, Scope>;
  /** How it ended. Passing a part of it on makes the other step wait for that end, whatever it is. */
  readonly status: StepStatus<Scope>;
  readonly #workflow: AnyWorkflow;
  readonly #task: Task<I, O>;
  readonly #inputs: Readonly<Record<string, unknown>>;
  readonly #after = new Set<AnyStep>();
  readonly #depends: EndCondition<Scope>[] = [];
  #role: Role | undefined;
  #when: Condition<Scope> | undefined;
  readonly #overrides: ExecutionSettings[] = [];
  readonly #template: StepTemplate;

  constructor(workflow: AnyWorkflow, id: string, props: StepProps<I, O, Scope>) {
    super(workflow, workflow.freeId(id));
    this.name = id;
    this.#workflow = workflow;
    this.#task = props.task;
    this.#inputs = { ...(props.inputs as Readonly<Record<string, unknown>>) };
    const { outputs, outputSchema } = props.task;
    this.outputs = Object.fromEntries(
      Object.keys(outputs).map((output) => [
        output,
        new Reference(workflow, { step: id, output }, outputSchema.properties[output]!),
      ]),
    ) as unknown as StepOutputs<O, Scope>;
    this.status = stepStatus(workflow, id);
    this.#template = new StepTemplate(this, workflow.name, id, props.task, (input) => this.#given(input));
    reportProblems(this, () => this.#problems());
    workflow.addStep(this);
  }

  /**
   * Runs this step only after others, without taking values from them: after steps that succeed, or once a condition on
   * how steps end holds. If the condition comes out false, this step is skipped. All that is said here must hold.
   *
   * @example
   * step('report', report).after(load, any(succeeded(check), failed(check)));
   */
  after(...others: readonly (StepIn<Scope> | EndCondition<Scope>)[]): this {
    for (const other of others)
      if (other instanceof EndCondition) this.#depends.push(other);
      else this.#after.add(other);
    return this.#changed();
  }

  /** Runs this step when all steps but those of `finally` have ended and the run has failed, side by side with others of its kind. */
  onFailure(): this {
    this.#role = 'onFailure';
    return this.#changed();
  }

  /**
   * Runs this step when all others have ended, whatever became of them and of the run, side by side with others of its
   * kind; only a run that is cancelled with `Now` goes without. If it fails, the run fails.
   */
  finally(): this {
    this.#role = 'finally';
    return this.#changed();
  }

  /** Skips this step when the condition is false. A second condition is added to the first. */
  when(condition: Condition<Scope>): this {
    this.#when = this.#when === undefined ? condition : and(this.#when, condition);
    return this.#changed();
  }

  /** Changes how this step runs, and what its pod looks like, for this workflow only. A later override is merged over earlier ones. */
  override(override: StepOverride<Scope>): this {
    // References are what settings take for values of their own; merging takes them whole.
    const settings = override as ExecutionSettings;
    this.#overrides.push(settings);
    this.#template.override(settings);
    return this.#changed();
  }

  /** The layers of the pod that this step's attempts start from, low to high. */
  get layers(): readonly Layer[] {
    return this.#template.layers;
  }

  /** The pod template that its layers make. */
  get podTemplate(): PodTemplate {
    return this.#template.compiled.template;
  }

  /** @internal The step as the graph carries it. */
  toNode(): TaskStep {
    const { outputSchema, outputs, name } = this.#task;
    const { retries, systemRetries, pendingTimeout, attemptTimeout, timeout, runAs, continueOnFailure } =
      this.#execution;
    const policy = retryPolicy(retries);
    const { name: template, holes, spot } = this.#template.compiled;
    const job = stepJob(this.#jobLayers);
    return {
      kind: 'task',
      name: this.name,
      task: name,
      template,
      inputs: {
        ...this.#defaultInputs(),
        ...Object.fromEntries(this.#givenInputs().map(([input, value]) => [input, toSource(value, this.#workflow)])),
      },
      ...(holes !== undefined && { pod: toSource(holes, this.#workflow) }),
      ...(spot !== undefined && { spot: toSource(spot, this.#workflow) }),
      ...(Object.keys(outputs).length > 0 && { outputs: outputSchema }),
      ...(this.#after.size > 0 && { after: [...this.#after].map((step) => step.name) }),
      ...(this.#depends.length > 0 && {
        depends: this.#depends.length === 1 ? this.#depends[0]!.toGraph() : all(...this.#depends).toGraph(),
      }),
      ...(this.#role && { role: this.#role }),
      ...(this.#when && { when: toValueCondition(this.#when) }),
      ...(policy && { retries: policy }),
      ...(systemRetries !== undefined && { systemRetries }),
      ...(pendingTimeout && { pendingTimeoutSeconds: seconds(pendingTimeout) }),
      ...(attemptTimeout && { attemptTimeoutSeconds: seconds(attemptTimeout) }),
      ...(timeout && { timeoutSeconds: seconds(timeout) }),
      ...(runAs === 'Job' && { runAs, ...(job && { job }) }),
      ...(continueOnFailure && { continueOnFailure }),
    };
  }

  get #jobLayers(): readonly JobLayer[] {
    return jobLayers(this.#task, this.node.path, this.#overrides);
  }

  #changed(): this {
    this.#workflow.changed();
    return this;
  }

  get #execution(): ExecutionSettings {
    return Object.assign({}, this.#task.execution, ...this.#overrides) as ExecutionSettings;
  }

  // `undefined` is how JavaScript says that an optional input is not given.
  #givenInputs(): [string, unknown][] {
    return Object.entries(this.#inputs).filter(([, value]) => value !== undefined);
  }

  #given(input: string): unknown {
    const value = this.#inputs[input];
    return value === undefined ? withDefaults(this.#task.inputSchema, {})[input] : value;
  }

  #defaultInputs(): Record<string, ValueSource> {
    return Object.fromEntries(
      Object.entries(withDefaults(this.#task.inputSchema, {})).map(([input, value]) => [input, { value }]),
    );
  }

  *#problems(): Generator<Problem> {
    const { properties, required } = this.#task.inputSchema;
    const given = new Map(this.#givenInputs());
    for (const [input, value] of given) {
      const path = `inputs.${input}`;
      const schema = properties[input];
      if (schema === undefined)
        yield {
          path,
          message: `task ${show(this.#task.name)} has no such input`,
          fix: suggest(input, Object.keys(properties)),
        };
      else if (!containsReference(value)) yield* checkValue(schema, value as never, path);
      for (const reference of references(value)) yield* this.#foreign(reference, path);
    }
    for (const input of required)
      if (!given.has(input))
        yield { path: `inputs.${input}`, message: 'is missing', fix: `task ${show(this.#task.name)} needs it` };
    for (const reference of this.#when?.references ?? []) yield* this.#foreign(reference, 'when');
    for (const step of [...this.#after, ...this.#depends.flatMap(({ steps }) => steps)])
      if (step.#workflow !== this.#workflow)
        yield {
          path: 'after',
          message: `step ${show(step.name)} belongs to workflow ${show(step.#workflow.name)}`,
          fix: 'only steps of one workflow can wait for each other',
        };
    const hasOutputs = Object.keys(this.#task.outputs).length > 0;
    yield* stepJobProblems(this.#jobLayers, { runAs: this.#execution.runAs, hasOutputs });
    const { templateProblems } = this;
    yield* templateProblems;
    if (templateProblems.length > 0) return;
    if (this.#execution.systemRetries === 0 && this.#template.compiled.spot !== undefined)
      yield {
        path: 'systemRetries',
        message: 'is 0, so that no attempt goes to spot nodes: the last one that the platform may fail goes elsewhere',
        fix: 'allow one, or set spot: false',
      };
    for (const { path, hole } of this.#template.compiled.places)
      for (const reference of references(hole)) yield* this.#foreign(reference, `podTemplate.${path}`);
  }

  /** @internal Why the pod template cannot be merged. */
  get templateProblems(): readonly Problem[] {
    return this.#template.problems;
  }

  *#foreign(reference: AnyReference, path: string): Generator<Problem> {
    if (reference.owner !== this.#workflow)
      yield {
        path,
        message: `${reference.expression} belongs to another ${reference.owner instanceof Task ? 'task' : 'workflow'}`,
        fix: 'pass it in as an input of this workflow',
      };
  }
}

/* eslint-disable @typescript-eslint/no-explicit-any -- shapes and scopes fit only themselves on purpose; only `any` fits all */
/** A step of whatever task, in the workflow that `Scope` stands for. */
export type StepIn<Scope> = Step<any, any, Scope>;
/** A step of whatever task and workflow. */
export type AnyStep = Step<any, any, any>;
/* eslint-enable @typescript-eslint/no-explicit-any */

/** @internal Where a given value comes from. A reference to another workflow is reported elsewhere and stands for nothing here. */
export function toSource(value: unknown, owner: object): ValueSource {
  if (value instanceof Reference) {
    const { origin, fallback } = value as AnyReference;
    if (value.owner !== owner) return { value: null };
    return fallback === undefined || 'status' in origin ? origin : { ...origin, default: fallback };
  }
  if (value instanceof Hole) return holeSource(value, owner);
  if (!containsReference(value)) return { value: value as never };
  if (Array.isArray(value)) return { list: value.map((item) => toSource(item, owner)) };
  return {
    fields: Object.fromEntries(Object.entries(value as object).map(([name, inner]) => [name, toSource(inner, owner)])),
  };
}

function holeSource({ values, form, held }: Hole, owner: object): ValueSource {
  const sources = values.map((value) => toSource(value, owner));
  const first = held ? [...sources, { value: null }] : sources;
  const source = first.length === 1 ? first[0]! : { first };
  if (form === 'value') return source;
  return { text: source, ...(form === 'literal text' && { literal: true }) };
}

function* references(value: unknown): Generator<AnyReference> {
  if (value instanceof Reference) yield value;
  else if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(value)) yield* references(inner);
}

function containsReference(value: unknown): boolean {
  return references(value).next().done !== true;
}

function toValueCondition<Scope>({ cel, references }: Condition<Scope>): ValueCondition {
  const steps = new Set(references.flatMap(({ origin }) => ('step' in origin ? [origin.step] : [])));
  const statuses = new Set(references.flatMap(({ origin }) => ('status' in origin ? [origin.status] : [])));
  return { cel, steps: [...steps], ...(statuses.size > 0 && { statuses: [...statuses] }) };
}
