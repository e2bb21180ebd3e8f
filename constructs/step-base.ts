import { Construct } from 'constructs';
import type { CommonStep, Role, StepNode } from '../lib/graph/graph.ts';
import { and, type Condition } from '../lib/values/condition.ts';
import { conditionProblem, defaultsProblem } from '../lib/values/condition-check.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import { Reference, type AnyReference } from '../lib/values/reference.ts';
import type { ObjectSchema } from '../lib/values/schema.ts';
import type { Shape, ValuesOut } from '../lib/values/shape.ts';
import { all, EndCondition } from './end-condition.ts';
import { reportProblems } from './problems.ts';
import { foreignProblem, toValueCondition } from './sources.ts';
import { stepStatus, type StepStatus } from './step-status.ts';
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

/** The outputs of a step, to be passed on to others. */
export type StepOutputs<O extends Shape, Scope> = {
  readonly [Name in keyof O]: Reference<ValuesOut<O>[Name & keyof ValuesOut<O>], Scope>;
};

/**
 * What steps of all kinds have: a name, outputs, and the edges that lead to them. A new kind extends it and says with
 * {@link StepBase.toNode} how the graph carries it.
 */
export abstract class StepBase<O extends Shape, Scope> extends Construct {
  /** Its name in the graph: the construct's id. */
  readonly name: string;
  /** What it gives. Passing one on makes the other step wait for this one. */
  readonly outputs: StepOutputs<O, Scope>;
  /** How it ended. Passing a part of it on makes the other step wait for that end, whatever it is. */
  readonly status: StepStatus<Scope>;
  /** @internal */
  protected readonly outputSchema: ObjectSchema;
  /** @internal */
  protected readonly workflow: AnyWorkflow;
  readonly #after = new Set<AnyStep>();
  readonly #depends: EndCondition<Scope>[] = [];
  #role: Role | undefined;
  /** Whether the arm of a branch runs that this step is in. */
  readonly #arm: Condition<Scope> | undefined;
  readonly #conditions: Condition<Scope>[] = [];

  protected constructor(workflow: AnyWorkflow, id: string, outputs: ObjectSchema) {
    super(workflow, workflow.freeId(id));
    this.name = id;
    this.workflow = workflow;
    this.outputSchema = outputs;
    this.#arm = workflow.arm;
    this.outputs = Object.fromEntries(
      Object.entries(outputs.properties).map(([output, schema]) => [
        output,
        new Reference(workflow, { step: id, output }, schema),
      ]),
    ) as unknown as StepOutputs<O, Scope>;
    this.status = stepStatus(workflow, id);
    reportProblems(this, () => this.problems());
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
    return this.changed();
  }

  /** Runs this step when all steps but those of `finally` have ended and the run has failed, side by side with others of its kind. */
  onFailure(): this {
    this.#role = 'onFailure';
    return this.changed();
  }

  /**
   * Runs this step when all others have ended, whatever became of them and of the run, side by side with others of its
   * kind; only a run that is cancelled with `Now` goes without. If it fails, the run fails.
   */
  finally(): this {
    this.#role = 'finally';
    return this.changed();
  }

  /** Skips this step when the condition is false. A second condition is added to the first. */
  when(condition: Condition<Scope>): this {
    this.#conditions.push(condition);
    return this.changed();
  }

  /** @internal The step as the graph carries it. */
  abstract toNode(): StepNode;

  /** @internal All that the graph carries of it, with the step itself. */
  toNodes(): readonly StepNode[] {
    return [this.toNode()];
  }

  /** @internal The workflow whose graph this step cannot do without. */
  get uses(): AnyWorkflow | undefined {
    return undefined;
  }

  /** @internal Why {@link StepBase.toNode} cannot be called. */
  get nodeProblems(): readonly Problem[] {
    return [];
  }

  /** @internal The part of the node that all kinds have. */
  protected common(): Pick<CommonStep, 'name' | 'after' | 'depends' | 'role' | 'when'> {
    const when = this.#when;
    return {
      name: this.name,
      ...(this.#after.size > 0 && { after: [...this.#after].map((step) => step.name) }),
      ...(this.#depends.length > 0 && {
        depends: this.#depends.length === 1 ? this.#depends[0]!.toGraph() : all(...this.#depends).toGraph(),
      }),
      ...(this.#role && { role: this.#role }),
      ...(when && { when: toValueCondition(when, this.workflow) }),
    };
  }

  /** @internal The graph is to be compiled anew. */
  protected changed(): this {
    this.workflow.changed();
    return this;
  }

  /** @internal What is wrong with the step; checked at synth. */
  protected *problems(): Generator<Problem> {
    yield* this.#conditionProblems();
    for (const step of [...this.#after, ...this.#depends.flatMap(({ steps }) => steps)])
      if (step.workflow !== this.workflow)
        yield {
          path: 'after',
          message: `step ${show(step.name)} belongs to workflow ${show(step.workflow.name)}`,
          fix: 'only steps of one workflow can wait for each other',
        };
  }

  *#conditionProblems(): Generator<Problem> {
    for (const condition of this.#conditions) {
      for (const reference of condition.references) yield* this.foreign(reference, 'when');
      const problem = conditionProblem(condition, this.workflow.inputSchema, 'when');
      if (problem !== undefined) yield problem;
    }
    const when = this.#when;
    const twice = when && defaultsProblem(when, 'when');
    if (twice !== undefined) yield twice;
  }

  // One condition stays as it was written.
  get #when(): Condition<Scope> | undefined {
    const conditions = [...(this.#arm === undefined ? [] : [this.#arm]), ...this.#conditions];
    return conditions.length > 1 ? and(...conditions) : conditions[0];
  }

  /** @internal */
  protected foreign(reference: AnyReference, path: string): Generator<Problem> {
    return foreignProblem(reference, this.workflow, path);
  }
}

/* eslint-disable @typescript-eslint/no-explicit-any -- shapes and scopes fit only themselves on purpose; only `any` fits all */
/** A step of whatever kind, in the workflow that `Scope` stands for. */
export type StepIn<Scope> = StepBase<any, Scope>;
/** A step of whatever kind and workflow. */
export type AnyStep = StepBase<any, any>;
/* eslint-enable @typescript-eslint/no-explicit-any */
