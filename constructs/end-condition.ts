import { conditionText } from '../lib/graph/end-condition.ts';
import type { EndCondition as GraphCondition, Ending } from '../lib/graph/graph.ts';
import { Condition, not as notValue } from '../lib/values/condition.ts';
import type { AnyStep, StepIn } from './step-base.ts';

declare const scopeType: unique symbol;

/** A condition on how steps of one workflow end, for `after`. Made by {@link succeeded} and its like. */
export class EndCondition<Scope = unknown> {
  declare readonly [scopeType]?: (scope: Scope) => Scope;
  /** The steps that it speaks of. */
  readonly steps: readonly AnyStep[];
  readonly #toGraph: () => GraphCondition;

  /** @internal */
  constructor(steps: readonly AnyStep[], toGraph: () => GraphCondition) {
    this.steps = steps;
    this.#toGraph = toGraph;
  }

  /** @internal As the graph carries it. */
  toGraph(): GraphCondition {
    return this.#toGraph();
  }

  /** `any(succeeded(load), failed(check))` */
  toString(): string {
    return conditionText(this.toGraph());
  }
}

/** The step succeeded. */
export const succeeded = <Scope>(step: StepIn<Scope>) => ended<Scope>(step, 'succeeded');
/** The step failed, its attempts spent; also with `continueOnFailure`. */
export const failed = <Scope>(step: StepIn<Scope>) => ended<Scope>(step, 'failed');
/** The step was skipped, for whatever reason. */
export const skipped = <Scope>(step: StepIn<Scope>) => ended<Scope>(step, 'skipped');
/** The step was cancelled. */
export const cancelled = <Scope>(step: StepIn<Scope>) => ended<Scope>(step, 'cancelled');
/** The step came to an end, whatever that was. */
export const finished = <Scope>(step: StepIn<Scope>) => ended<Scope>(step, 'finished');

/** All of them hold. Of none, it holds. */
export const all = <Scope>(...conditions: readonly EndCondition<Scope>[]) =>
  join(conditions, (parts) => ({ all: parts }));
/** One of them holds: known as soon as one does, while the others may still run. Of none, it does not hold. */
export const any = <Scope>(...conditions: readonly EndCondition<Scope>[]) =>
  join(conditions, (parts) => ({ any: parts }));

/** The condition does not hold. */
export function not<Scope>(condition: Condition<Scope>): Condition<Scope>;
export function not<Scope>(condition: EndCondition<Scope>): EndCondition<Scope>;
export function not<Scope>(condition: Condition<Scope> | EndCondition<Scope>) {
  if (condition instanceof Condition) return notValue(condition);
  return new EndCondition<Scope>(condition.steps, () => ({ not: condition.toGraph() }));
}

/** All of the steps succeeded. Unlike `after(...)` itself, one that was skipped by its `when` does not do. */
export const allSucceeded = <Scope>(...steps: readonly StepIn<Scope>[]) =>
  all(...steps.map((step) => succeeded<Scope>(step)));
/** All of the steps came to an end, whatever that was. */
export const allDone = <Scope>(...steps: readonly StepIn<Scope>[]) =>
  all(...steps.map((step) => finished<Scope>(step)));
/** At least one of the steps failed: known as soon as one has. */
export const oneFailed = <Scope>(...steps: readonly StepIn<Scope>[]) =>
  any(...steps.map((step) => failed<Scope>(step)));
/** All of the steps came to an end and none failed. */
export const noneFailed = <Scope>(...steps: readonly StepIn<Scope>[]) =>
  all(...steps.map((step) => not(failed<Scope>(step))));
/** At least one of the steps succeeded: known as soon as one has. */
export const oneSucceeded = <Scope>(...steps: readonly StepIn<Scope>[]) =>
  any(...steps.map((step) => succeeded<Scope>(step)));

function ended<Scope>(step: AnyStep, end: Ending): EndCondition<Scope> {
  return new EndCondition<Scope>([step], () => ({ step: step.name, ended: end }));
}

function join<Scope>(
  conditions: readonly EndCondition<Scope>[],
  make: (parts: readonly GraphCondition[]) => GraphCondition,
): EndCondition<Scope> {
  const steps = conditions.flatMap((condition) => condition.steps);
  return new EndCondition<Scope>(steps, () => make(conditions.map((condition) => condition.toGraph())));
}
