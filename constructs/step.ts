import type { TaskStep } from '../lib/graph/graph.ts';
import type { Shape } from '../lib/values/shape.ts';
import { TaskUse, type GivenInputs } from './task-use.ts';
import type { Task } from './task.ts';
import type { AnyWorkflow } from './workflow.ts';

export interface StepProps<I extends Shape, O extends Shape, Scope> {
  readonly task: Task<I, O>;
  readonly inputs: GivenInputs<I, Scope>;
}

/**
 * One use of a task in a workflow. `step('extract', extract, { ... })` in a workflow's function is the short way to
 * `new Step(workflow, 'extract', { task: extract, inputs: { ... } })`.
 */
export class Step<I extends Shape, O extends Shape, Scope> extends TaskUse<O, Scope> {
  declare readonly inputTypes?: I;

  constructor(workflow: AnyWorkflow, id: string, { task, inputs }: StepProps<I, O, Scope>) {
    super(workflow, id, { task: task as never, inputs: inputs as Readonly<Record<string, unknown>> });
  }

  /** @internal The step as the graph carries it. */
  toNode(): TaskStep {
    return { kind: 'task', ...this.fields() };
  }
}
