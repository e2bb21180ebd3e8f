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
  const looksAt = statusUpstreams(step)
    .union(dependsOn(step))
    .union(new Set(membersOf(step)));
  for (const name of statusUpstreams(step)) edges.set(name, 'end');
  for (const name of membersOf(step)) edges.set(name, 'end');
  const [demanded, optional] = dataUpstreams(step);
  for (const name of optional)
    edges.set(name, looksAt.has(name) || step.role !== undefined ? 'end' : 'data-with-default');
  for (const name of step.after ?? []) if (edges.get(name) !== 'data-with-default') edges.set(name, 'order');
  for (const name of demanded) edges.set(name, step.role === undefined ? 'data' : 'end');
  return edges;
}

/** The steps that a step's `depends` speaks of, or whose failures are its own. */
export function dependsOn(step: StepNode): Set<string> {
  const named = step.depends === undefined ? [] : [...mentions(step.depends)].map(({ step: name }) => name);
  return new Set(step.kind === 'group' && step.contains ? [...named, ...step.steps] : named);
}

/** The steps that a step stands for. */
function membersOf(step: StepNode): readonly string[] {
  return step.kind === 'group' ? step.steps : [];
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
