import { labels, MANAGED_BY } from '../../graph/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import { ConnectionError, KubeError } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { eachObject } from '../../kube/pages.ts';
import * as resources from '../../kube/resources.ts';
import type { Resource } from '../../kube/resources.ts';
import type { ApplyPlan } from '../apply/apply-plan.ts';
import { applySetKeys } from '../apply/applyset.ts';
import { inParallel } from '../in-parallel.ts';
import { objectKey } from '../object-key.ts';

/** An object of this project that nobody deletes: it is in no inventory, and not in the directory. */
export interface Orphan {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** Kinds that synth writes, that stay until they are deleted, and of which the controller makes none. */
const KINDS: readonly Resource[] = [
  resources.cronJobs,
  resources.deployments,
  resources.serviceAccounts,
  resources.roles,
  resources.roleBindings,
];

/** ApplySets may have a ConfigMap or, as kubectl makes it, a Secret as their parent. (KEP-3659) */
const PARENTS: readonly Resource[] = [resources.configMaps, resources.secrets];

const REQUESTS_AT_ONCE = 8;

/** What says to be of this project, and is neither part of a run nor kept by what made it, nor a plan that a program registered. */
const OURS = `${labels.managedBy}=${MANAGED_BY},!${labels.run},!${labels.step},!${labels.registeredBy}`;

/**
 * What is of no inventory and not planned, in the namespaces of a plan. What cannot be read is left out: nobody needs to see it to apply.
 *
 * @throws the signal's reason when it is aborted
 */
export async function findOrphans(
  client: KubeClient,
  { objects }: ApplyPlan,
  namespace: string,
  signal?: AbortSignal,
): Promise<readonly Orphan[]> {
  const read = async (of: Resource, where: string | null, labelSelector: string) => {
    const all: KubeObject[] = [];
    try {
      for await (const object of eachObject(client, of, { namespace: where, labelSelector, signal })) all.push(object);
      return all;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof KubeError || error instanceof ConnectionError) return undefined;
      throw error;
    }
  };
  const namespaces = new Set([namespace, ...objects.flatMap(({ object }) => object.metadata.namespace ?? [])]);
  const places = [...namespaces].flatMap((where) => KINDS.map((of) => ({ of, where })));
  const found = await inParallel(places, REQUESTS_AT_ONCE, ({ of, where }) => read(of, where, OURS));
  const planned = new Set(objects.map(({ object }) => objectKey(object)));
  const left = unplanned(
    found.flatMap((all) => all ?? []),
    planned,
  );
  const ids = [...new Set(left.flatMap(({ metadata }) => metadata.labels?.[applySetKeys.partOf] ?? []))];
  const isOne = `${applySetKeys.id} in (${ids.join(',')})`;
  const parents = ids.length === 0 ? [] : await Promise.all(PARENTS.map((of) => read(of, null, isOne)));
  // A parent may be where we may not look; then every set is taken to have one.
  const sets = parents.includes(undefined)
    ? ids
    : parents.flatMap((all) => all!.flatMap(({ metadata }) => metadata.labels?.[applySetKeys.id] ?? []));
  return outsideOf(left, new Set(sets));
}

/** Objects that no plan speaks of, and that nobody else makes or deletes. */
export function unplanned(objects: readonly KubeObject[], planned: ReadonlySet<string>): readonly KubeObject[] {
  return objects.filter(
    (object) =>
      !planned.has(objectKey(object)) &&
      object.metadata.deletionTimestamp === undefined &&
      (object.metadata.ownerReferences ?? []).length === 0,
  );
}

/** Objects of none of the sets that exist, by name. */
export function outsideOf(objects: readonly KubeObject[], sets: ReadonlySet<string>): readonly Orphan[] {
  return objects
    .filter(({ metadata }) => !sets.has(metadata.labels?.[applySetKeys.partOf] ?? ''))
    .map(({ kind, metadata: { name, namespace } }) => ({ kind, name, ...(namespace !== undefined && { namespace }) }))
    .sort(
      (a, b) => compare(a.kind, b.kind) || compare(a.namespace ?? '', b.namespace ?? '') || compare(a.name, b.name),
    );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
