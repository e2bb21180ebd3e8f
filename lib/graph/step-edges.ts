import { mentions } from './end-condition.ts';
import type { StepNode } from './graph.ts';
import { conditionsIn, statusUpstreams, stepOutputs, stepSources } from './sources.ts';

/**
 * What a step asks of one that it waits for. `order`: only that it comes first. `data`: values that it cannot do without.
 * `data-with-default`: values that it can do without. `end`: nothing, since it looks at how the other one ended.
 */
export type EdgeKind = 'order' | 'data' | 'data-with-default' | 'end';

/**
 * The steps that a step waits for, whatever its `depends` says. Of several edges from one step the one that asks most
 * counts; but who looks at how a step ended and has a default for its values is content with any end.
 */
export function stepEdges(step: StepNode): Map<string, EdgeKind> {
  const edges = new Map<string, EdgeKind>();
  const looksAt = statusUpstreams(step).union(dependsOn(step));
  for (const name of statusUpstreams(step)) edges.set(name, 'end');
  const [demanded, optional] = dataUpstreams(step);
  for (const name of optional)
    edges.set(name, looksAt.has(name) || step.role !== undefined ? 'end' : 'data-with-default');
  for (const name of step.after ?? []) if (edges.get(name) !== 'data-with-default') edges.set(name, 'order');
  for (const name of demanded) edges.set(name, step.role === undefined ? 'data' : 'end');
  return edges;
}

/** The steps that a step's `depends` speaks of. */
export function dependsOn({ depends }: StepNode): Set<string> {
  return new Set(depends === undefined ? [] : [...mentions(depends)].map(({ step }) => step));
}

/** The steps whose values a step cannot do without, and those that may give none: each of its references has a default, or is one of several. */
function dataUpstreams(step: StepNode): readonly [demanded: Set<string>, optional: Set<string>] {
  const demanded = new Set(step.when?.steps);
  const optional = new Set<string>();
  for (const source of stepSources(step)) {
    for (const { step: name, optional: hasDefault } of stepOutputs(source))
      (hasDefault ? optional : demanded).add(name);
    for (const condition of conditionsIn(source)) for (const name of condition.steps) optional.add(name);
  }
  return [demanded, optional.difference(demanded)];
}
