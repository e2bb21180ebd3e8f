import type { KubeClient } from '../kube/client.ts';
import { isForbidden, isNotFound, KubeError } from '../kube/errors.ts';
import { keyOf, type KubeObject } from '../kube/objects.ts';
import type { Resource } from '../kube/resources.ts';
import { MANAGED_BY, MANAGED_BY_LABEL } from '../graph/labels.ts';
import { inParallel } from './in-parallel.ts';

/** An object that is to be applied, and where it lives. */
export interface Located {
  readonly object: KubeObject;
  readonly resource: Resource;
}

const PAGE = 500;
const REQUESTS_AT_ONCE = 8;
/** As many single reads cost less than a list of everything that happens to be in the namespace. */
const FEW = 8;

/**
 * What of these objects the cluster has already, by {@link existingKey}. Objects with our label are found by one list for
 * each kind and namespace. What may not be read is left out.
 */
export async function existingObjects(
  client: KubeClient,
  wanted: readonly Located[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, KubeObject>> {
  const found = new Map<string, KubeObject>();
  const groups = [
    ...Map.groupBy(wanted, ({ resource, object }) => `${resource.kind} ${object.metadata.namespace}`).values(),
  ];
  await inParallel(groups, REQUESTS_AT_ONCE, async (group) => {
    for (const object of await readGroup(client, group, signal)) found.set(existingKey(object), object);
  });
  return found;
}

/** The key of an object among objects of all kinds. */
export function existingKey(object: KubeObject): string {
  return `${object.kind} ${keyOf(object)}`;
}

async function readGroup(client: KubeClient, group: readonly Located[], signal?: AbortSignal): Promise<KubeObject[]> {
  const { resource, object } = group[0]!;
  const namespace = object.metadata.namespace;
  const ours = group.every((item) => item.object.metadata.labels?.[MANAGED_BY_LABEL] === MANAGED_BY);
  try {
    if (!ours && group.length <= FEW) {
      const reads = await Promise.all(group.map((item) => read(client, item, signal)));
      return reads.filter((live) => live !== undefined);
    }
    const labelSelector = ours ? `${MANAGED_BY_LABEL}=${MANAGED_BY}` : undefined;
    const all: KubeObject[] = [];
    for (let next: string | undefined, first = true; first || next; first = false) {
      const page = await client.list(resource, { namespace, labelSelector, limit: PAGE, continue: next, signal });
      all.push(...page.items);
      next = page.metadata.continue;
    }
    return all;
  } catch (error) {
    // Applying needs no permission to read; without it only the words of the result are less exact.
    if (isForbidden(error) || (error instanceof KubeError && error.code === 404)) return [];
    throw error;
  }
}

async function read(
  client: KubeClient,
  { object, resource }: Located,
  signal?: AbortSignal,
): Promise<KubeObject | undefined> {
  const { name, namespace } = object.metadata;
  try {
    return await client.get(resource, name, { namespace, signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
