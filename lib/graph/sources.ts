import type { StepNode } from './graph.ts';
import type { ValueCondition, ValueSource } from './value-source.ts';
import { rulesOf } from './step-kinds.ts';

/** An output that a value is made of. */
interface StepOutput {
  readonly step: string;
  readonly output: string;
  /** The value may do without this one: there is a default, or it is one of several. */
  readonly optional: boolean;
  /** It is one of several, of which one must be there. */
  readonly oneOf: boolean;
}

/** Every step output that a value is made of. */
export function* stepOutputs(source: ValueSource, within?: 'one of several' | 'default'): Generator<StepOutput> {
  if ('step' in source) {
    const hasDefault = 'default' in source || within === 'default';
    const oneOf = within === 'one of several' && !hasDefault;
    yield { step: source.step, output: source.output, optional: hasDefault || oneOf, oneOf };
    return;
  }
  const several = 'first' in source ? (source.default === undefined ? 'one of several' : 'default') : undefined;
  const inner = within === 'default' ? within : (several ?? ('if' in source ? 'one of several' : within));
  for (const part of partsOf(source)) yield* stepOutputs(part, inner);
}

/** Every condition that decides on a part of a value. */
export function* conditionsIn(source: ValueSource): Generator<ValueCondition> {
  if ('if' in source) yield source.if;
  for (const inner of partsOf(source)) yield* conditionsIn(inner);
}

/** Every workflow input that a value is made of. */
export function* workflowInputs(source: ValueSource): Generator<string> {
  if ('input' in source) yield source.input;
  else for (const inner of partsOf(source)) yield* workflowInputs(inner);
}

/** The values that a value is made of. */
export function partsOf(source: ValueSource): readonly ValueSource[] {
  if ('list' in source) return source.list;
  if ('fields' in source) return Object.values(source.fields);
  if ('first' in source) return source.first;
  if ('if' in source) return [source.then, ...(source.if.values?.map((read) => read.source) ?? [])];
  return 'text' in source ? [source.text] : [];
}

/** Everything that a step takes values from, and what its condition reads besides outputs that must be there. */
export function stepSources(step: StepNode): readonly ValueSource[] {
  const read = step.when?.values?.map(({ source }) => source) ?? [];
  return [...[...rulesOf(step).sources(step)].map(([, source]) => source), ...read];
}

/** The steps whose ends a value tells. */
export function* statusesIn(source: ValueSource): Generator<string> {
  if ('status' in source) yield source.status;
  if ('if' in source) yield* source.if.statuses ?? [];
  for (const inner of partsOf(source)) yield* statusesIn(inner);
}

/** The steps whose ends a step's values or its condition tell. */
export function statusUpstreams(step: StepNode): Set<string> {
  return new Set([...(step.when?.statuses ?? []), ...stepSources(step).flatMap((source) => [...statusesIn(source)])]);
}
