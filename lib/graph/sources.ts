import type { StepNode, ValueSource } from './graph.ts';
import { rulesOf } from './step-kinds.ts';

/** Every step output that a value is made of. */
export function* stepOutputs(source: ValueSource): Generator<{ step: string; output: string; optional: boolean }> {
  if ('step' in source) yield { step: source.step, output: source.output, optional: 'default' in source };
  else for (const inner of partsOf(source)) yield* stepOutputs(inner);
}

/** Every workflow input that a value is made of. */
export function* workflowInputs(source: ValueSource): Generator<string> {
  if ('input' in source) yield source.input;
  else for (const inner of partsOf(source)) yield* workflowInputs(inner);
}

function partsOf(source: ValueSource): readonly ValueSource[] {
  if ('list' in source) return source.list;
  if ('fields' in source) return Object.values(source.fields);
  if ('first' in source) return source.first;
  return 'text' in source ? [source.text] : [];
}

/** Everything that a step takes values from. */
export function stepSources(step: StepNode): readonly ValueSource[] {
  return [...rulesOf(step).sources(step)].map(([, source]) => source);
}

/** The steps whose ends a value tells. */
export function* statusesIn(source: ValueSource): Generator<string> {
  if ('status' in source) yield source.status;
  else for (const inner of partsOf(source)) yield* statusesIn(inner);
}

/** The steps whose ends a step's values or its condition tell. */
export function statusUpstreams(step: StepNode): Set<string> {
  return new Set([...(step.when?.statuses ?? []), ...stepSources(step).flatMap((source) => [...statusesIn(source)])]);
}
