import type { StepNode, ValueSource } from './graph.ts';

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

/** Everything that a step takes values from: its inputs, and what of its pod waits for values. */
export function stepSources({ inputs, pod }: StepNode): readonly ValueSource[] {
  return [...Object.values(inputs), ...(pod === undefined ? [] : [pod])];
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
