import { CONTENT_CACHE, CONTENT_RECORD, labels, MANAGED_BY } from '../../graph/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isForbidden, isNotFound, KubeError } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { eachObject } from '../../kube/pages.ts';
import { configMaps, type Resource } from '../../kube/resources.ts';
import { applyFailure } from './apply-failure.ts';
import type { DesiredObject, LiveObject, Observed } from './apply-plan.ts';
import type { ApplyFailure } from './apply-result.ts';
import { applySetKeys, inventoryId, parentName, readInventory, type InventoryRef } from './applyset.ts';
import { inventoryProblem } from './inventory-checks.ts';
import { groupKindOfResource, objectKey } from '../object-key.ts';
import { inParallel } from '../in-parallel.ts';
import type { ResourceFinder } from '../resource-finder.ts';
import { isVersion } from '../versions.ts';

/** Thrown when the inventory that was found is not that of the directory. */
export class InventoryError extends Error {
  override readonly name = 'InventoryError';
  readonly failure: ApplyFailure;

  constructor(failure: ApplyFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

const REQUESTS_AT_ONCE = 8;
/** As many single reads cost less than a list of everything that happens to be in the namespace. */
const FEW = 8;

type Desired = DesiredObject & { readonly resource: Resource };

/**
 * Reads what must be known of a cluster before it is written: the inventory and all that belongs to it, and what has the names of
 * the desired objects. One list for each kind and namespace, not a request an object.
 *
 * @throws InventoryError when the inventory is another's
 */
export async function observe(
  client: KubeClient,
  finder: ResourceFinder,
  desired: readonly DesiredObject[],
  ref: InventoryRef | undefined,
  signal?: AbortSignal,
): Promise<Observed> {
  const reader = new Reader(client, signal);
  const wanted = desired.filter((item): item is Desired => item.failure === undefined && item.resource !== undefined);
  const parent = ref && (await reader.get(configMaps, parentName(ref), ref.namespace));
  const problem = parent && inventoryProblem(parent, ref);
  if (problem) throw new InventoryError(problem);
  const inventory = parent && readInventory(parent);
  const places = new Map<string, Place>();
  for (const { object, resource } of wanted) addPlace(places, { resource, namespace: object.metadata.namespace });
  for (const groupKind of inventory?.groupKinds ?? []) {
    const resource = await finder.findGroupKind(groupKind, signal);
    // A kind that the cluster no longer has took its objects with it.
    for (const namespace of resource === undefined ? [] : resource.namespaced ? inventory!.namespaces : [undefined])
      addPlace(places, { resource: resource!, namespace });
  }
  const live = new Map<string, KubeObject>();
  const isMember = `${applySetKeys.partOf}=${ref && inventoryId(ref)}`;
  const members = await inParallel([...places.values()], REQUESTS_AT_ONCE, async ({ resource, namespace }) => {
    const own = ref === undefined ? [] : await reader.list(resource, namespace, isMember);
    const here = wanted.filter((item) => item.resource === resource && item.object.metadata.namespace === namespace);
    for (const object of [...own, ...(await reader.namesakes(here, own))]) live.set(objectKey(object), object);
    return own.map((object): LiveObject => ({ object, resource }));
  });
  return {
    live,
    // In the order of what was asked and not of the answers, so that two plans of one state are equal.
    members: members.flat(),
    ...(inventory && { inventory }),
    others: await reader.inventories([...live.values()], ref),
    ...(reader.unseen && { unseen: reader.unseen }),
  };
}

interface Place {
  readonly resource: Resource;
  readonly namespace?: string;
}

function addPlace(places: Map<string, Place>, place: Place): void {
  const key = `${groupKindOfResource(place.resource)} ${place.namespace ?? ''}`;
  if (!places.has(key)) places.set(key, place);
}

/** Reads that go on without what they may not see. */
class Reader {
  readonly #client: KubeClient;
  readonly #signal: AbortSignal | undefined;
  /** Why a list of members could not be read. */
  unseen: ApplyFailure | undefined;

  constructor(client: KubeClient, signal: AbortSignal | undefined) {
    this.#client = client;
    this.#signal = signal;
  }

  /** One object, or nothing when it does not exist. */
  async get(resource: Resource, name: string, namespace: string | undefined): Promise<KubeObject | undefined> {
    try {
      return await this.#client.get(resource, name, { namespace, signal: this.#signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** All objects with a label; none, and a note, when they may not be read. */
  async list(resource: Resource, namespace: string | undefined, labelSelector?: string): Promise<KubeObject[]> {
    const all: KubeObject[] = [];
    try {
      const options = { namespace, labelSelector, signal: this.#signal };
      for await (const object of eachObject(this.#client, resource, options)) all.push(object);
      return all;
    } catch (error) {
      if (!isForbidden(error) && !(error instanceof KubeError && error.code === 404)) throw error;
      this.unseen ??= { ...applyFailure(error), message: `is kept: ${error.message}` };
      return [];
    }
  }

  /** What has the name of a desired object of one kind and namespace and is no member yet. */
  async namesakes(wanted: readonly Desired[], members: readonly KubeObject[]): Promise<KubeObject[]> {
    const known = new Set(members.map(objectKey));
    const missing = wanted.filter(({ object }) => !known.has(objectKey(object)));
    const versions = missing.filter(({ object }) => isVersion(object));
    const others = missing.filter(({ object }) => !isVersion(object));
    return (await Promise.all([this.#read(versions, VERSIONS), this.#read(others, NO_RECORDS)])).flat();
  }

  async #read(wanted: readonly Desired[], labelSelector: string): Promise<KubeObject[]> {
    const [first] = wanted;
    if (first === undefined) return [];
    const { resource, object } = first;
    if (wanted.length > FEW) {
      const names = new Set(wanted.map((item) => item.object.metadata.name));
      const all = await this.list(resource, object.metadata.namespace, labelSelector);
      return all.filter(({ metadata }) => names.has(metadata.name));
    }
    const found = wanted.map((item) => this.#mayGet(resource, item.object));
    return (await Promise.all(found)).filter((live) => live !== undefined);
  }

  /** Applying needs no permission to read; without it only the plan is less exact. */
  async #mayGet(resource: Resource, { metadata }: KubeObject): Promise<KubeObject | undefined> {
    try {
      return await this.get(resource, metadata.name, metadata.namespace);
    } catch (error) {
      if (isForbidden(error)) return undefined;
      throw error;
    }
  }

  /** The inventories, in words, to which objects belong that are not in this one. */
  async inventories(objects: readonly KubeObject[], ref: InventoryRef | undefined): Promise<Map<string, string>> {
    const own = ref && inventoryId(ref);
    const ids = new Set(objects.flatMap(({ metadata }) => metadata.labels?.[applySetKeys.partOf] ?? []));
    const others = [...ids].filter((id) => id !== own);
    if (others.length === 0) return new Map();
    const namespaces = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []));
    const parents = await Promise.all(
      [...namespaces].map((namespace) => this.#parents(namespace, `${applySetKeys.id} in (${others.join(',')})`)),
    );
    return new Map(parents.flat().map((parent) => [parent.metadata.labels![applySetKeys.id]!, inWords(parent)]));
  }

  async #parents(namespace: string, labelSelector: string): Promise<readonly KubeObject[]> {
    try {
      return (await this.#client.list(configMaps, { namespace, labelSelector, signal: this.#signal })).items;
    } catch (error) {
      if (isForbidden(error)) return [];
      throw error;
    }
  }
}

/** Records of runs and kept results are large and many, and never have the name of something that is applied. */
const NO_RECORDS = `!${labels.run},${labels.content} notin (${CONTENT_RECORD},${CONTENT_CACHE})`;
const VERSIONS = `${labels.managedBy}=${MANAGED_BY},${NO_RECORDS}`;

function inWords(parent: KubeObject): string {
  const { fleet } = readInventory(parent)!;
  const name = `${parent.metadata.namespace}/${parent.metadata.name}`;
  return fleet === undefined ? `the ApplySet ${name}` : `the fleet "${fleet}" (ConfigMap ${name})`;
}
