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
  /** The services that it needs to be up while it runs: some of its {@link edges}. */
  readonly services: readonly number[];
  /** Of a service: the steps that need it to be up while they run. */
  readonly users: readonly number[];
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
  readonly services: readonly TopologyStep[];
}

/** Edges of a validated graph; edges to steps that do not exist are left out. O(steps + edges). */
export function topology(graph: Graph): Topology {
  const indexes = new Map(graph.steps.map((node, index) => [node.name, index]));
  const downstreams: number[][] = graph.steps.map(() => []);
  const dependents: number[][] = graph.steps.map(() => []);
  const users: number[][] = graph.steps.map(() => []);
  const allEdges = graph.steps.map(
    (node) =>
      new Map(
        [...stepEdges(node)].flatMap(([name, kind]) => {
          const upstream = indexes.get(name);
          return upstream === undefined ? [] : [[upstream, kind] as const];
        }),
      ),
  );
  shareServices(graph, indexes, allEdges);
  const steps = graph.steps.map((node, index) => {
    const edges = allEdges[index]!;
    const services = [...edges].flatMap(([upstream, kind]) => (isUse(graph.steps[upstream]!, kind) ? [upstream] : []));
    for (const service of services) users[service]!.push(index);
    const depends = [...dependsOn(node)].map((name) => indexes.get(name)).filter((found) => found !== undefined);
    for (const upstream of edges.keys()) downstreams[upstream]!.push(index);
    for (const upstream of depends) dependents[upstream]!.push(index);
    return {
      index,
      node,
      edges,
      downstreams: downstreams[index]!,
      services,
      users: users[index]!,
      dependsOn: depends,
      dependents: dependents[index]!,
    };
  });
  const handlers = steps.filter(({ node }) => node.role !== undefined);
  const services = steps.filter(({ node }) => node.kind === 'service');
  return { graph, steps, byName: new Map(steps.map((step) => [step.node.name, step])), handlers, services };
}

/** Whether a step that asks so much of another one needs it to be up while it runs itself. */
function isUse({ kind }: StepNode, edge: EdgeKind): boolean {
  return kind === 'service' && edge !== 'end';
}

/** What a workflow that is part of this one needs to begin, all of its steps need: where it begins is over at once. */
function shareServices(
  { steps }: Graph,
  indexes: ReadonlyMap<string, number>,
  edges: readonly Map<number, EdgeKind>[],
): void {
  for (const group of steps) {
    const begin = group.kind === 'group' && group.begin !== undefined ? indexes.get(group.begin) : undefined;
    if (group.kind !== 'group' || begin === undefined) continue;
    const shared = [...edges[begin]!].filter(([upstream, kind]) => isUse(steps[upstream]!, kind));
    for (const member of shared.length === 0 ? [] : group.steps) {
      const own = edges[indexes.get(member) ?? -1];
      for (const [service, kind] of shared) if (own?.has(service) === false) own.set(service, kind);
    }
  }
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
export function findCycle({ steps, services }: Topology): readonly string[] | undefined {
  const upstreams = steps.map(upstreamsOf);
  const after = steps.map(({ downstreams, dependents }) => new Set([...downstreams, ...dependents]));
  // A service ends when those have that need it: who waits for its end waits for theirs.
  for (const { index, users } of services)
    for (const end of after[index]!.difference(new Set(users)))
      for (const user of users) {
        upstreams[end]!.add(user);
        after[user]!.add(end);
      }
  const remaining = upstreams.map(({ size }) => size);
  const free = steps.filter(({ index }) => remaining[index] === 0).map(({ index }) => index);
  for (let next = free.pop(); next !== undefined; next = free.pop()) {
    for (const downstream of after[next]!) if (--remaining[downstream]! === 0) free.push(downstream);
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
