import {
  planApply,
  type ApplyPlan,
  type DesiredObject,
  type Observed,
  type PlanOptions,
} from '../../../lib/fleet/apply/apply-plan.ts';
import {
  applySetKeys,
  inventoryId,
  parentManifest,
  readInventory,
  type InventoryRef,
} from '../../../lib/fleet/apply/applyset.ts';
import { stagesOf, type Write } from '../../../lib/fleet/apply/apply-stages.ts';
import type { FieldSet } from '../../../lib/fleet/apply/managed-fields.ts';
import { groupKindOf, objectKey } from '../../../lib/fleet/object-key.ts';
import type { KubeObject } from '../../../lib/kube/objects.ts';
import {
  configMaps,
  cronJobs,
  namespaces,
  roles,
  serviceAccounts,
  type Resource,
} from '../../../lib/kube/resources.ts';

/** The inventory of every test with this model. */
export const ref: InventoryRef = { name: 'acme', namespace: 'etl' };

const resources = new Map<string, Resource>(
  [configMaps, cronJobs, namespaces, roles, serviceAccounts].map((resource) => [resource.kind, resource]),
);

/** A manifest, as it comes from a directory. */
export function desired(object: KubeObject): DesiredObject {
  return { object, resource: resources.get(object.kind)! };
}

/** A cluster that does what an API server does with the writes of an apply, one after another and without a network. */
export class ModelCluster {
  readonly objects = new Map<string, KubeObject>();
  /** What was ever deleted. */
  readonly deleted: string[] = [];
  #version = 0;

  /** What an apply would read: members only where the inventory or the directory says that some may be. */
  observe(wanted: readonly DesiredObject[]): Observed {
    const parent = this.objects.get('ConfigMap etl/applyset-acme');
    const inventory = parent && readInventory(parent);
    const kinds = new Set([...wanted.map(({ object }) => groupKindOf(object)), ...(inventory?.groupKinds ?? [])]);
    const spaces = new Set([
      ...wanted.map(({ object }) => object.metadata.namespace),
      ...(inventory?.namespaces ?? []),
    ]);
    const all = [...this.objects.values()];
    const members = all.filter(
      (object) =>
        object.metadata.labels?.[applySetKeys.partOf] === inventoryId(ref) &&
        kinds.has(groupKindOf(object)) &&
        spaces.has(object.metadata.namespace),
    );
    return {
      live: this.objects,
      members: members.map((object) => ({ object, resource: resources.get(object.kind)! })),
      ...(inventory && { inventory }),
      others: new Map(),
    };
  }

  plan(wanted: readonly DesiredObject[], options: PlanOptions = {}): ApplyPlan {
    return planApply(wanted, this.observe(wanted), { inventory: ref, ...options });
  }

  /** Carries out a plan; stops before the write of that number, as when the process is killed. */
  execute(plan: ApplyPlan, writes = Infinity, order: (stage: readonly Write[]) => readonly Write[] = (s) => s): number {
    let done = 0;
    for (const write of stagesOf(plan).flatMap(order)) {
      if (done === writes) return done;
      done += 1;
      this.#perform(write);
    }
    return done;
  }

  /** Somebody else's write. */
  put(object: KubeObject): void {
    const metadata = { ...object.metadata, resourceVersion: String(++this.#version) };
    this.objects.set(objectKey(object), { ...object, metadata });
  }

  /** All that it holds, without what differs from one way there to another. */
  get state(): unknown {
    return [...this.objects.values()]
      .map(({ metadata: { resourceVersion: _, ...metadata }, ...rest }) => ({ ...rest, metadata }))
      .sort((a, b) => (objectKey(a) < objectKey(b) ? -1 : 1));
  }

  #perform(write: Write): void {
    if (write.kind === 'record') return this.#apply(parentManifest(ref, write.scope, '1'));
    const { object } = write.planned;
    if (write.kind === 'apply') return this.#apply(object);
    this.deleted.push(objectKey(object));
    this.objects.delete(objectKey(object));
  }

  #apply(object: KubeObject): void {
    const { apiVersion, kind: _kind, metadata, ...rest } = object;
    const { name: _name, namespace: _namespace, ...owned } = metadata;
    const fieldsV1 = fieldsOf({ ...rest, ...(Object.keys(owned).length > 0 && { metadata: owned }) });
    const entry = { manager: 'cdk8s-workflows', operation: 'Apply', apiVersion, fieldsType: 'FieldsV1', fieldsV1 };
    this.put({ ...object, metadata: { ...metadata, managedFields: [entry] } });
  }
}

function fieldsOf(value: unknown): FieldSet {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [`f:${name}`, fieldsOf(inner)]));
}
