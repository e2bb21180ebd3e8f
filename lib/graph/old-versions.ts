import { taskSteps, type Graph } from './graph.ts';

/** How many versions of a workflow are kept that nothing uses. */
const DEFAULT_REVISION_HISTORY_LIMIT = 10;

/** What nobody uses may yet be about to be used: templates are applied before their graph, and that before its plans. In milliseconds. */
export const VERSION_GRACE_MS = 60 * 60 * 1000;

/** What of an object of a version decides whether it is kept. */
export interface VersionObject {
  readonly name: string;
  /** When it was created, in milliseconds since 1970. */
  readonly createdAt: number;
}

/** A version of a workflow: its graph on a cluster. */
export interface Version extends VersionObject {
  readonly workflow: string;
  /** How many versions of the workflow are to be kept, as this one says it. */
  readonly revisionHistoryLimit?: number;
  /** The PodTemplates of its steps. */
  readonly templates: readonly string[];
  /** The graphs of its steps that are runs of their own. */
  readonly graphs: readonly string[];
}

/** The objects of a namespace that versions consist of, and what uses them. */
export interface VersionsInUse<G extends Version, T extends VersionObject> {
  readonly graphs: readonly G[];
  readonly templates: readonly T[];
  /** The graphs that launch plans and runs name. */
  readonly used: ReadonlySet<string>;
  readonly now: number;
  /** In place of what the versions say. */
  readonly revisionHistoryLimit?: number;
}

/** What a graph needs to be there. */
export function neededBy(graph: Graph): Pick<Version, 'templates' | 'graphs'> {
  const graphs = graph.steps.flatMap((step) => (step.kind === 'run' && 'graph' in step.runs ? [step.runs.graph] : []));
  return { templates: taskSteps(graph).map(({ template }) => template), graphs };
}

/**
 * The graphs and templates that may be deleted: all but the newest versions of each workflow, those that are used, those
 * that one of these needs, and what is younger than {@link VERSION_GRACE_MS}.
 */
export function oldVersions<G extends Version, T extends VersionObject>(
  inUse: VersionsInUse<G, T>,
): { readonly graphs: readonly G[]; readonly templates: readonly T[] } {
  const isOld = ({ createdAt }: VersionObject) => inUse.now - createdAt > VERSION_GRACE_MS;
  const kept = keptGraphs(inUse, isOld);
  const needed = new Set(inUse.graphs.filter(({ name }) => kept.has(name)).flatMap(({ templates }) => templates));
  return {
    graphs: inUse.graphs.filter(({ name }) => !kept.has(name)),
    templates: inUse.templates.filter((template) => isOld(template) && !needed.has(template.name)),
  };
}

function keptGraphs<G extends Version, T extends VersionObject>(
  { graphs, used, revisionHistoryLimit }: VersionsInUse<G, T>,
  isOld: (version: VersionObject) => boolean,
): ReadonlySet<string> {
  const byName = new Map(graphs.map((graph) => [graph.name, graph]));
  const kept = new Set<string>();
  const keep = (name: string): void => {
    if (kept.has(name)) return;
    kept.add(name);
    for (const child of byName.get(name)?.graphs ?? []) keep(child);
  };
  for (const name of used) keep(name);
  for (const versions of Map.groupBy(graphs, ({ workflow }) => workflow).values()) {
    versions.sort(newestFirst);
    const limit = revisionHistoryLimit ?? versions[0]!.revisionHistoryLimit ?? DEFAULT_REVISION_HISTORY_LIMIT;
    for (const [index, version] of versions.entries()) if (index < limit || !isOld(version)) keep(version.name);
  }
  return kept;
}

/** Of two that were applied together, the order is the same each time. */
export function newestFirst(a: VersionObject, b: VersionObject): number {
  return b.createdAt - a.createdAt || (a.name < b.name ? -1 : 1);
}
