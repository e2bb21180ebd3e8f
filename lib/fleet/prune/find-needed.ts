import { decodeGraph, type GraphData } from '../../graph/config-map.ts';
import { labels, MANAGED_BY } from '../../graph/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isForbidden, isNotFound } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { eachObject } from '../../kube/pages.ts';
import { configMaps, cronJobs, jobs, podTemplates } from '../../kube/resources.ts';
import { applyFailure } from '../apply/apply-failure.ts';
import type { ApplyPlan, PlannedObject } from '../apply/apply-plan.ts';
import type { ApplyFailure } from '../apply/apply-result.ts';
import { inParallel } from '../in-parallel.ts';
import { mayBeNeeded, neededObjects, type Holder } from './needed-objects.ts';
import { objectKey } from '../object-key.ts';
import { isFinished } from './prune-rules.ts';
import { childrenOf, graphOf, jobOf, NeedsFinder, type JobLike } from './run-needs.ts';

const REQUESTS_AT_ONCE = 8;
/** Selectors travel in the URL, which servers limit. */
const WORKFLOWS_IN_A_SELECTOR = 50;

/**
 * What of the deletions of a plan is kept for runs that have not ended, and for plans that go on to start runs although the directory says
 * nothing of how these are made: those that are held, and those that programs registered. By {@link objectKey}. A few lists for each
 * namespace, and one request for each version that is in use.
 *
 * @throws the signal's reason when it is aborted
 */
export async function findNeeded(
  client: KubeClient,
  { objects }: ApplyPlan,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, ApplyFailure>> {
  const left = objects.filter(({ action, object }) => action === 'delete' && mayBeNeeded(object));
  if (left.length === 0) return new Map();
  const deleted = objects.filter(({ action }) => action === 'delete');
  const namespaces = new Set(deleted.flatMap(({ object }) => object.metadata.namespace ?? []));
  try {
    const found = await inParallel([...namespaces], REQUESTS_AT_ONCE, (where) =>
      holdersIn(client, where, objects, signal),
    );
    const holders = found.flat();
    const unreadable = holders.find(({ needs }) => needs.unreadable.length > 0);
    if (unreadable === undefined)
      return neededObjects(
        left.map(({ object }) => object),
        holders,
      );
    const [graph] = unreadable.needs.unreadable;
    const message = `is kept: what ${unreadable.who} needs is not known, as the graph ${graph} cannot be read`;
    return all(left, { message, fix: unreadable.fix });
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return all(left, { ...applyFailure(error), message: `is kept: runs may need it. ${error.message}` });
  }
}

function all(left: readonly PlannedObject[], reason: ApplyFailure): ReadonlyMap<string, ApplyFailure> {
  return new Map(left.map(({ object }) => [objectKey(object), reason]));
}

async function holdersIn(
  client: KubeClient,
  namespace: string,
  planned: readonly PlannedObject[],
  signal: AbortSignal | undefined,
): Promise<readonly Holder[]> {
  const query = { namespace, signal };
  const list = async (read: AsyncIterable<KubeObject>) => {
    const found: KubeObject[] = [];
    for await (const object of read) found.push(object);
    return found;
  };
  const [runs, plans] = await Promise.all([
    list(unfinished(eachObject(client, jobs, query))),
    list(eachObject(client, cronJobs, { ...query, labelSelector: `${labels.managedBy}=${MANAGED_BY}` })),
  ]);
  const fromDirectory = new Set(
    planned.filter(({ action, held }) => action !== 'keep' && held !== true).map(({ object }) => objectKey(object)),
  );
  const held = new Set(planned.filter((each) => each.held === true).map(({ object }) => objectKey(object)));
  const pods = planned.filter(
    ({ action, object: { kind, metadata } }) => action === 'keep' && kind === 'Pod' && metadata.namespace === namespace,
  );
  const makers: readonly (Omit<Holder, 'needs'> & { readonly job: JobLike })[] = [
    ...runs.map((job) => ({
      job,
      namespace,
      who: runInWords(job),
      fix: 'apply again when it has ended, or cancel it',
    })),
    ...pods.map(({ object: { spec, metadata } }) => ({
      job: { spec: { template: { spec } } },
      namespace,
      who: `the pod ${metadata.name}`,
      fix: 'apply again when it has ended',
    })),
    ...plans
      .filter((plan) => !fromDirectory.has(objectKey(plan)))
      .map((plan) => ({
        job: jobOf(plan),
        namespace,
        who: `the plan ${plan.metadata.name}`,
        fix: held.has(objectKey(plan)) ? 'promote the plan, and apply again' : 'apply again when the plan is gone',
      })),
  ];
  const plansByName = byName(plans);
  const graphs = await readGraphs(
    client,
    makers.map(({ job }) => job),
    plansByName,
    query,
  );
  const templates = await readTemplates(client, [...graphs.values()], query);
  const finder = new NeedsFinder({ graphs, templates, plans: plansByName });
  return makers.map(({ job, ...maker }) => ({ ...maker, needs: finder.needsOf(job) }));
}

async function* unfinished(all: AsyncIterable<KubeObject>): AsyncGenerator<KubeObject> {
  for await (const object of all)
    if (!isFinished(object) && object.metadata.deletionTimestamp === undefined) yield object;
}

interface Query {
  readonly namespace: string;
  readonly signal: AbortSignal | undefined;
}

/** The graphs of runs and of the runs that their steps are, to the last. */
async function readGraphs(
  client: KubeClient,
  makers: readonly JobLike[],
  plans: ReadonlyMap<string, KubeObject>,
  query: Query,
): Promise<ReadonlyMap<string, KubeObject | undefined>> {
  const graphs = new Map<string, KubeObject | undefined>();
  let wanted = new Set(makers.flatMap((job) => graphOf(job) ?? []));
  while (wanted.size > 0) {
    const found = await inParallel([...wanted], REQUESTS_AT_ONCE, async (name) => {
      const graph = await mayExist(client.get(configMaps, name, query));
      graphs.set(name, graph);
      return graph;
    });
    const children = found.flatMap((graph) => (graph === undefined ? [] : childGraphs(graph, plans)));
    wanted = new Set(children.filter((name) => !graphs.has(name)));
  }
  return graphs;
}

function childGraphs(object: KubeObject, plans: ReadonlyMap<string, KubeObject>): readonly string[] {
  const decoded = decodeGraph(object as GraphData);
  if ('problems' in decoded) return [];
  return childrenOf(decoded.graph).flatMap((key) => {
    const [kind, name] = key.split(' ') as [string, string];
    if (kind === 'graph') return name;
    const plan = plans.get(name);
    return (plan && graphOf(jobOf(plan))) ?? [];
  });
}

async function readTemplates(
  client: KubeClient,
  graphs: readonly (KubeObject | undefined)[],
  query: Query,
): Promise<ReadonlyMap<string, KubeObject>> {
  const workflows = [...new Set(graphs.flatMap((graph) => graph?.metadata.labels?.[labels.workflow] ?? []))];
  if (workflows.length === 0) return new Map();
  const few = workflows.length <= WORKFLOWS_IN_A_SELECTOR ? `,${labels.workflow} in (${workflows.join(',')})` : '';
  const labelSelector = `${labels.managedBy}=${MANAGED_BY},${labels.step}${few}`;
  const found: KubeObject[] = [];
  for await (const template of eachObject(client, podTemplates, { ...query, labelSelector })) found.push(template);
  return byName(found);
}

async function mayExist(read: Promise<KubeObject>): Promise<KubeObject | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function byName(objects: readonly KubeObject[]): ReadonlyMap<string, KubeObject> {
  return new Map(objects.map((object) => [object.metadata.name, object]));
}

/** A step that is a Job belongs to a run. */
function runInWords({ metadata }: KubeObject): string {
  return `the run ${metadata.labels?.[labels.run] ?? metadata.name}`;
}
