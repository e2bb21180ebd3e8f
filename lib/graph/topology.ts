import type { Graph, StepNode } from './graph.ts';
import { dataUpstreams, upstreams } from './sources.ts';

/** A step with its edges, as indexes into {@link Topology.steps}. */
export interface TopologyStep {
  readonly index: number;
  readonly node: StepNode;
  /** Steps that must be over before this one is decided. */
  readonly upstreams: readonly number[];
  /** Those of them whose values it takes. */
  readonly data: ReadonlySet<number>;
  /** Steps that wait for this one. */
  readonly downstreams: readonly number[];
}

/** A graph with its edges in both directions: made once for a graph, shared by all of its runs. */
export interface Topology {
  readonly graph: Graph;
  readonly steps: readonly TopologyStep[];
  readonly byName: ReadonlyMap<string, TopologyStep>;
}

/** Edges of a validated graph; edges to steps that do not exist are left out. O(steps + edges). */
export function topology(graph: Graph): Topology {
  const indexes = new Map(graph.steps.map((node, index) => [node.name, index]));
  const known = (names: Iterable<string>) =>
    [...names].map((name) => indexes.get(name)).filter((index) => index !== undefined);
  const downstreams: number[][] = graph.steps.map(() => []);
  const steps = graph.steps.map((node, index) => {
    const all = known(upstreams(node));
    for (const upstream of all) downstreams[upstream]!.push(index);
    return { index, node, upstreams: all, data: new Set(known(dataUpstreams(node))), downstreams: downstreams[index]! };
  });
  return { graph, steps, byName: new Map(steps.map((step) => [step.node.name, step])) };
}

/** The names of a cycle's steps in order, the first one again at the end; nothing when there is no cycle. */
export function findCycle({ steps }: Topology): readonly string[] | undefined {
  const remaining = steps.map((step) => step.upstreams.length);
  const free = steps.filter((step) => step.upstreams.length === 0).map((step) => step.index);
  for (let next = free.pop(); next !== undefined; next = free.pop())
    for (const downstream of steps[next]!.downstreams) if (--remaining[downstream]! === 0) free.push(downstream);
  let at = remaining.findIndex((count) => count > 0);
  if (at < 0) return undefined;
  // Every step that is left has an upstream that is left: walking up them must come around.
  const seen = new Map<number, number>();
  const path: number[] = [];
  while (!seen.has(at)) {
    seen.set(at, path.length);
    path.push(at);
    at = steps[at]!.upstreams.find((upstream) => remaining[upstream]! > 0)!;
  }
  const cycle = [...path.slice(seen.get(at)!), at].reverse();
  return cycle.map((index) => steps[index]!.node.name);
}
