import type { Graph, StepNode } from './graph.ts';
import type { ValueCondition } from './value-source.ts';
import { outputsRead } from './condition-reads.ts';
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
  const edges = graph.steps.flatMap((step) => edgesTo(step));
  return [...edges, ...endsOfGroups(graph, edges)];
}

/** A group waits for all of its steps. What is drawn are those after which no other one of them comes. */
function endsOfGroups({ steps }: Graph, edges: readonly Edge[]): Edge[] {
  const groups = steps.filter((step) => step.kind === 'group');
  const groupOf = new Map(groups.flatMap(({ name, steps: own }) => own.map((step) => [step, name])));
  const followed = new Set(
    edges.flatMap(({ from, to }) => {
      const group = groupOf.get(from);
      return group !== undefined && (group === to || group === groupOf.get(to)) ? [from] : [];
    }),
  );
  return groups.flatMap(({ name, steps: own }) =>
    own.filter((step) => !followed.has(step)).map((from): Edge => ({ from, to: name, kind: 'order', labels: [] })),
  );
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
