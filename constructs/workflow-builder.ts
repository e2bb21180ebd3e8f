import { Reference } from '../lib/values/reference.ts';
import type { NoValues, Shape, ValuesOut } from '../lib/values/shape.ts';
import type { Branch, BranchStart } from './branch.ts';
import { gateBuilder, type GateBuilder } from './gate.ts';
import { InlinedWorkflow } from './inlined-workflow.ts';
import { MapStep, type MapInputs, type MapOptions } from './map-step.ts';
import { RunStep, type AnyPlan, type LaunchOptions, type PlanInputs, type RunStepOptions } from './run-step.ts';
import { ServiceStep, type ServiceOptions } from './service-step.ts';
import { Step } from './step.ts';
import type { GivenInputs } from './task-use.ts';
import { Task } from './task.ts';
import type { AnyWorkflow, Workflow } from './workflow.ts';

/** The workflow's inputs, to be passed on to steps. */
export type InputReferences<I extends Shape, Scope> = {
  readonly [Name in keyof I]: Reference<ValuesOut<I>[Name & keyof ValuesOut<I>], Scope>;
};

// Inputs are an argument that may be left out exactly when none of them is required.
type InputArguments<I extends Shape, Scope> =
  NoValues extends GivenInputs<I, Scope> ? [inputs?: GivenInputs<I, Scope>] : [inputs: GivenInputs<I, Scope>];

/** Adds steps that run a task, once or for each item of a list, or a workflow. */
export interface AddStep<Scope> {
  <TI extends Shape, TO extends Shape>(
    id: string,
    task: Task<TI, TO>,
    ...inputs: InputArguments<NoInfer<TI>, Scope>
  ): Step<TI, TO, Scope>;
  /**
   * Makes another workflow part of this one: its steps become steps of this one, named `<id>-<step>`. To the other steps it is
   * one step, with the workflow's outputs.
   */
  <TI extends Shape, R extends object>(
    id: string,
    workflow: Workflow<TI, R>,
    ...inputs: InputArguments<NoInfer<TI>, Scope>
  ): InlinedWorkflow<TI, R, Scope>;
  /**
   * Adds a step that is a run of its own: with a record, a failure policy and an end of its own. It begins as any step does,
   * and its run goes with the run around it.
   *
   * @example
   * const scored = step.run('score', scoring, { model: 'large' }, { retries: 1, attemptTimeout: Duration.hours(2) });
   */
  run<TI extends Shape, R extends object>(
    id: string,
    workflow: Workflow<TI, R>,
    inputs: GivenInputs<NoInfer<TI>, Scope>,
    options?: RunStepOptions,
  ): RunStep<TI, R, Scope>;
  /** Adds a step that launches a plan, as it stands on the cluster when the step begins, with these inputs over those of the plan. */
  launch<TI extends Shape, R extends object>(
    id: string,
    plan: AnyPlan<TI, R>,
    inputs?: PlanInputs<NoInfer<TI>, Scope>,
    options?: LaunchOptions,
  ): RunStep<TI, R, Scope>;
  /**
   * Adds a step that runs `task` once for each item of a list, or for each combination of items of several lists. An input
   * is gone over when it is given a list of what it takes.
   *
   * @example
   * const scores = step.map('score', score, { shard: list.outputs.shards, model: 'large' }, { concurrency: 20 });
   * step('merge', merge, { scores: scores.outputs.score });
   */
  map<TI extends Shape, TO extends Shape, const Options extends MapOptions = object>(
    id: string,
    task: Task<TI, TO>,
    inputs: MapInputs<NoInfer<TI>, Scope>,
    options?: Options,
  ): MapStep<TI, TO, Scope, Options>;
  /**
   * Adds a step that stays up while the steps that depend on it run. They depend on it by taking its `host`, or by `.after(...)`; they
   * start once it is ready, and it is stopped when all of them have ended.
   *
   * @example
   * const db = step.service('db', postgres, {}, { readinessProbe: { tcpSocket: { port: 5432 } } });
   * step('test', test, { host: db.host });
   */
  service<TI extends Shape, TO extends Shape>(
    id: string,
    task: Task<TI, TO> & WithoutOutputs<TO>,
    ...given: ServiceArguments<NoInfer<TI>, Scope>
  ): ServiceStep<TI, Scope>;
}

/** A service is stopped before it could give any. */
type WithoutOutputs<O> = [keyof O] extends [never] ? unknown : never;

type ServiceArguments<I extends Shape, Scope> =
  NoValues extends GivenInputs<I, Scope>
    ? [inputs?: GivenInputs<I, Scope>, options?: ServiceOptions]
    : [inputs: GivenInputs<I, Scope>, options?: ServiceOptions];

/** What a workflow's function works with. `Scope` is the workflow: references and steps of another one do not fit. */
export interface WorkflowBuilder<I extends Shape, Scope> extends GateBuilder<Scope> {
  readonly inputs: InputReferences<I, Scope>;
  /** Adds a step that runs `task`. It starts when every step whose outputs it is given has succeeded. */
  readonly step: AddStep<Scope>;
  /**
   * Arms of steps of which at most one runs: the first whose condition holds. Their values join in one.
   *
   * @example
   * const priced = branch('price')
   *   .if(gt(size.outputs.rows, 1000), () => ({ price: step('bulk', bulk, { rows: size.outputs.rows }).outputs.price }))
   *   .else(() => ({ price: step('single', single).outputs.price }));
   * step('report', report, { price: priced.price });
   */
  readonly branch: (name: string) => BranchStart<Scope>;
}

/** The outputs of a workflow whose values are of the types `R`. */
export type WorkflowOutputs<R, Scope> = { readonly [Name in keyof R]: Reference<R[Name], Scope> };

/** @internal What the function of a workflow works with. */
export function workflowBuilder<I extends Shape, Scope>(
  workflow: Workflow<I, object>,
  branchNamed: (name: string) => Branch,
): WorkflowBuilder<I, Scope> {
  const owner = workflow as unknown as AnyWorkflow;
  const inputs = Object.keys(workflow.inputs).map((input) => [
    input,
    new Reference(owner, { input }, workflow.inputSchema.properties[input]!),
  ]);
  const step = <TI extends Shape, TO extends Shape>(
    id: string,
    runs: Task<TI, TO> | Workflow<TI, object>,
    ...[given]: InputArguments<NoInfer<TI>, Scope>
  ) => {
    const values = given ?? ({} as never);
    if (runs instanceof Task) return new Step<TI, TO, Scope>(owner, id, { task: runs, inputs: values });
    return new InlinedWorkflow(owner, id, { workflow: runs, inputs: values });
  };
  const map: AddStep<Scope>['map'] = (id, task, given, options) =>
    new MapStep(owner, id, { task, inputs: given, ...(options && { options }) });
  const run: AddStep<Scope>['run'] = (id, inner, given, options) =>
    new RunStep(owner, id, { workflow: inner, inputs: given, ...(options && { options }) });
  const launch: AddStep<Scope>['launch'] = (id, plan, given, options) =>
    new RunStep(owner, id, { plan, inputs: given ?? {}, ...(options && { options }) });
  const service: AddStep<Scope>['service'] = (id, task, ...[given, options]) =>
    new ServiceStep(owner, id, { task, inputs: given ?? ({} as never), ...(options && { options }) });
  return {
    ...gateBuilder<Scope>(owner),
    inputs: Object.fromEntries(inputs) as InputReferences<I, Scope>,
    step: Object.assign(step, { map, run, launch, service }) as AddStep<Scope>,
    branch: (name) => branchNamed(name).start(),
  };
}
