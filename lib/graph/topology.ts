import type { Graph, StepNode } from './graph.ts';
import { dependsOn, stepEdges, type EdgeKind } from './step-edges.ts';

/** A step with its edges, as indexes into {@link Topology.steps}. */
export interface TopologyStep {
  readonly index: number;
  readonly node: StepNode;
  /** Steps that must be over before this one is decided, with what it asks of them. */
  readonly edges: ReadonlyMap<number, EdgeKind>;
  /** Steps that wait for the end of this one: it is among their {@link edges}. */
  readonly downstreams: readonly number[];
  /** Steps that its `depends` speaks of. */
  readonly dependsOn: readonly number[];
  /** Steps whose `depends` speaks of this one. */
  readonly dependents: readonly number[];
}

/** A graph with its edges in both directions: made once for a graph, shared by all of its runs. */
export interface Topology {
  readonly graph: Graph;
  readonly steps: readonly TopologyStep[];
  readonly byName: ReadonlyMap<string, TopologyStep>;
  /** The steps with a role. */
  readonly handlers: readonly TopologyStep[];
}

/** Edges of a validated graph; edges to steps that do not exist are left out. O(steps + edges). */
export function topology(graph: Graph): Topology {
  const indexes = new Map(graph.steps.map((node, index) => [node.name, index]));
  const downstreams: number[][] = graph.steps.map(() => []);
  const dependents: number[][] = graph.steps.map(() => []);
  const steps = graph.steps.map((node, index) => {
    const edges = new Map(
      [...stepEdges(node)].flatMap(([name, kind]) => {
        const upstream = indexes.get(name);
        return upstream === undefined ? [] : [[upstream, kind] as const];
      }),
    );
    const depends = [...dependsOn(node)].map((name) => indexes.get(name)).filter((found) => found !== undefined);
    for (const upstream of edges.keys()) downstreams[upstream]!.push(index);
    for (const upstream of depends) dependents[upstream]!.push(index);
    return {
      index,
      node,
      edges,
      downstreams: downstreams[index]!,
      dependsOn: depends,
      dependents: dependents[index]!,
    };
  });
  const handlers = steps.filter(({ node }) => node.role !== undefined);
  return { graph, steps, byName: new Map(steps.map((step) => [step.node.name, step])), handlers };
}

/** A step, and the steps that it stands for. */
export function withMembers(byName: Topology['byName'], name: string): string[] {
  const node = byName.get(name)?.node;
  return [name, ...(node?.kind === 'group' ? node.steps.flatMap((step) => withMembers(byName, step)) : [])];
}

/** All the steps that a step may wait for. */
export function upstreamsOf({ edges, dependsOn: depends }: TopologyStep): Set<number> {
  return new Set([...edges.keys(), ...depends]);
}

/** The names of a cycle's steps in order, the first one again at the end; nothing when there is no cycle. */
export function findCycle({ steps }: Topology): readonly string[] | undefined {
  const upstreams = steps.map(upstreamsOf);
  const remaining = upstreams.map(({ size }) => size);
  const free = steps.filter(({ index }) => remaining[index] === 0).map(({ index }) => index);
  for (let next = free.pop(); next !== undefined; next = free.pop()) {
    const { downstreams, dependents } = steps[next]!;
    for (const downstream of new Set([...downstreams, ...dependents]))
      if (--remaining[downstream]! === 0) free.push(downstream);
  }
  let at = remaining.findIndex((count) => count > 0);
  if (at < 0) return undefined;
  // Every step that is left has an upstream that is left: walking up them must come around.
  const seen = new Map<number, number>();
  const path: number[] = [];
  while (!seen.has(at)) {
    seen.set(at, path.length);
    path.push(at);
    at = [...upstreams[at]!].find((upstream) => remaining[upstream]! > 0)!;
  }
  const cycle = [...path.slice(seen.get(at)!), at].reverse();
  return cycle.map((index) => steps[index]!.node.name);
}
