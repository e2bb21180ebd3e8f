import type { StepNode, ValueSource } from './graph.ts';

/** Every step output that a value is made of. */
export function* stepOutputs(source: ValueSource): Generator<{ step: string; output: string; optional: boolean }> {
  if ('step' in source) yield { step: source.step, output: source.output, optional: 'default' in source };
  else if ('list' in source) for (const inner of source.list) yield* stepOutputs(inner);
  else if ('fields' in source) for (const inner of Object.values(source.fields)) yield* stepOutputs(inner);
}

/** Every workflow input that a value is made of. */
export function* workflowInputs(source: ValueSource): Generator<string> {
  if ('input' in source) yield source.input;
  else if ('list' in source) for (const inner of source.list) yield* workflowInputs(inner);
  else if ('fields' in source) for (const inner of Object.values(source.fields)) yield* workflowInputs(inner);
}

/** The steps a step takes values from. */
export function dataUpstreams(step: StepNode): Set<string> {
  const steps = new Set<string>(step.when?.steps);
  for (const source of Object.values(step.inputs))
    for (const { step: upstream } of stepOutputs(source)) steps.add(upstream);
  return steps;
}

/** All the steps that a step comes after, with data or without. */
export function upstreams(step: StepNode): Set<string> {
  return dataUpstreams(step).union(new Set(step.after));
}
