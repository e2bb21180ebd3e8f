import type { Graph, StepNode, ValueCondition } from './graph.ts';
import { mentions } from './end-condition.ts';
import { conditionsIn, statusUpstreams, stepOutputs, stepSources } from './sources.ts';

/** An edge as a picture shows it: at most one between two steps. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  /** `data`: values are passed. `order`: only the order counts, or how the first one ended. */
  readonly kind: 'data' | 'order';
  /** The outputs that are passed, or that a condition reads; `status` for how the step ended; the ends that are asked for, such as `failed`. */
  readonly labels: readonly string[];
}

/** All edges, in the order of the steps that they lead to. */
export function edgesOf(graph: Graph): Edge[] {
  return graph.steps.flatMap((step) => edgesTo(step));
}

function edgesTo(step: StepNode): Edge[] {
  const data = new Map<string, Set<string>>();
  const add = (from: string, outputs: Iterable<string>) =>
    data.set(from, (data.get(from) ?? new Set<string>()).union(new Set(outputs)));
  const addRead = ({ cel, steps }: ValueCondition) => {
    for (const from of steps) add(from, outputsRead(cel, from));
  };
  for (const source of stepSources(step)) {
    for (const { step: from, output } of stepOutputs(source)) add(from, [output]);
    for (const condition of conditionsIn(source)) addRead(condition);
  }
  if (step.when !== undefined) addRead(step.when);
  for (const from of statusUpstreams(step)) add(from, ['status']);
  const order = new Map<string, Set<string>>([...(step.after ?? [])].map((from) => [from, new Set()]));
  for (const { step: from, ended, negated } of step.depends ? mentions(step.depends) : [])
    order.set(from, (order.get(from) ?? new Set()).add(negated ? `not ${ended}` : ended));
  for (const [from, ends] of order) if (data.has(from)) add(from, ends);
  return [
    ...[...data].map(([from, labels]): Edge => ({ from, to: step.name, kind: 'data', labels: [...labels] })),
    ...[...order]
      .filter(([from]) => !data.has(from))
      .map(([from, labels]): Edge => ({ from, to: step.name, kind: 'order', labels: [...labels] })),
  ];
}

/** The outputs of a step that an expression names, as `steps.extract.outputs.rows` or with brackets. */
function outputsRead(cel: string, step: string): string[] {
  const name = String.raw`(?:\.(\w+)|\[["']([^"']+)["']\])`;
  const reference = new RegExp(`\\bsteps${name}\\.outputs${name}`, 'g');
  return [...cel.matchAll(reference)].flatMap(([, a, b, c, d]) => ((a ?? b) === step ? [c ?? d!] : []));
}
