import { decodeGraph } from '../graph/config-map.ts';
import { annotations, CONTENT_GRAPH, labels, MANAGED_BY } from '../graph/labels.ts';
import { neededBy, oldVersions, type Version, type VersionObject } from '../graph/old-versions.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import type { KubeObject, ObjectMeta } from '../kube/objects.ts';
import { eachObject } from '../kube/pages.ts';
import { configMaps, cronJobs, jobs, podTemplates, type Resource } from '../kube/resources.ts';
import type { ConfigMap } from './objects.ts';
import type { RunClient } from './worker-context.ts';

/** Graphs on a page: each may be as large as a ConfigMap. */
const GRAPHS_A_PAGE = 20;

/** What a sweep looks at. */
export interface SweepOptions {
  /** null means all. */
  readonly namespace: string | null;
  readonly now: number;
  /** How many versions of a workflow are kept that nothing uses. @default as each workflow says it */
  readonly revisionHistoryLimit?: number;
  readonly signal?: AbortSignal;
}

/** An object that may be deleted. */
export interface OldObject extends VersionObject {
  readonly kind: 'ConfigMap' | 'PodTemplate';
  readonly namespace: string;
  readonly workflow: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** What a look for old versions found. */
export interface OldVersions {
  /** In the order in which they are to be deleted. */
  readonly objects: readonly OldObject[];
  /** Graphs that cannot be read, as `<namespace>/<name>`: what they need is not known, so nothing of their namespaces is old. */
  readonly unreadable: readonly string[];
}

type GraphObject = OldObject & Version;
const selector = `${labels.managedBy}=${MANAGED_BY}`;

/** The objects of versions that nothing uses any more, by the rules of {@link oldVersions}. */
export async function findOldVersions(client: RunClient, options: SweepOptions): Promise<OldVersions> {
  const { namespace, signal, now, revisionHistoryLimit } = options;
  const graphs: GraphObject[] = [];
  const unreadable: OldObject[] = [];
  // First what may need them: what comes to use a version after this look is younger than anything that is deleted, or a
  // plan that goes back to an old version, which is written before it is used.
  const templates: OldObject[] = [];
  const query = { namespace, signal, labelSelector: `${selector},${labels.step}` };
  for await (const { metadata } of eachObject(client, podTemplates, query))
    templates.push(oldObject('PodTemplate', metadata));
  const content = { namespace, signal, labelSelector: `${selector},${labels.content}=${CONTENT_GRAPH}` };
  for await (const object of eachObject<ConfigMap>(client, configMaps, { ...content, limit: GRAPHS_A_PAGE })) {
    const version = versionOf(object);
    if (version === undefined) unreadable.push(oldObject('ConfigMap', object.metadata));
    else graphs.push(version);
  }
  const used = await usedGraphs(client, { namespace, signal, labelSelector: selector });
  const unknown = new Set(unreadable.map(namespaceOf));
  const [graphsIn, templatesIn] = [Map.groupBy(graphs, namespaceOf), Map.groupBy(templates, namespaceOf)];
  const namespaces = new Set([...graphsIn.keys(), ...templatesIn.keys()]);
  const objects = [...namespaces]
    .filter((each) => !unknown.has(each))
    .flatMap((each) => {
      const old = oldVersions<GraphObject, OldObject>({
        graphs: graphsIn.get(each) ?? [],
        templates: templatesIn.get(each) ?? [],
        used: used.get(each) ?? new Set<string>(),
        now,
        ...(revisionHistoryLimit !== undefined && { revisionHistoryLimit }),
      });
      // A graph goes last: a sweep that is interrupted before finds it again, and with it its templates.
      return [...old.templates, ...old.graphs];
    });
  return { objects, unreadable: unreadable.map(({ namespace: of, name }) => `${of}/${name}`) };
}

/**
 * Deletes old objects, unless somebody wrote them since they were found. Returns those that are gone.
 *
 * @throws KubeError when one may not be deleted
 */
export async function deleteOldVersions(
  client: RunClient,
  objects: readonly OldObject[],
  signal?: AbortSignal,
): Promise<readonly OldObject[]> {
  const gone: OldObject[] = [];
  for (const object of objects) {
    const { namespace, uid, resourceVersion } = object;
    try {
      await client.delete(resourceOf(object), object.name, { namespace, uid, resourceVersion, signal });
      gone.push(object);
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
  return gone;
}

/** By namespace, the graphs that a launch plan or a run names. A finished run counts: it may be run again from what failed. */
async function usedGraphs(
  client: RunClient,
  query: { readonly namespace: string | null; readonly labelSelector: string; readonly signal?: AbortSignal },
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const used = new Map<string, Set<string>>();
  const use = ({ namespace = '' }: ObjectMeta, notes: ObjectMeta['annotations']) => {
    const graph = notes?.[annotations.graph];
    if (graph !== undefined) used.set(namespace, (used.get(namespace) ?? new Set()).add(graph));
  };
  for await (const plan of eachObject<PlanObject>(client, cronJobs, query))
    use(plan.metadata, plan.spec?.jobTemplate?.metadata?.annotations);
  for await (const run of eachObject(client, jobs, query)) use(run.metadata, run.metadata.annotations);
  return used;
}

interface PlanObject extends KubeObject {
  spec?: { readonly jobTemplate?: { readonly metadata?: Pick<ObjectMeta, 'annotations'> } };
}

function versionOf(object: ConfigMap): GraphObject | undefined {
  const decoded = decodeGraph(object);
  if ('problems' in decoded) return undefined;
  const limit = Number(object.metadata.annotations?.[annotations.revisionHistoryLimit] ?? NaN);
  return {
    ...oldObject('ConfigMap', object.metadata),
    ...neededBy(decoded.graph),
    ...(Number.isSafeInteger(limit) && limit >= 0 && { revisionHistoryLimit: limit }),
  };
}

function oldObject(kind: OldObject['kind'], metadata: ObjectMeta): OldObject {
  const { name, namespace = '', uid, resourceVersion, creationTimestamp, labels: given } = metadata;
  return {
    kind,
    name,
    namespace,
    workflow: given?.[labels.workflow] ?? '',
    createdAt: Date.parse(creationTimestamp ?? ''),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
  };
}

const namespaceOf = ({ namespace }: OldObject) => namespace;

const resourceOf = ({ kind }: OldObject): Resource => (kind === 'ConfigMap' ? configMaps : podTemplates);
