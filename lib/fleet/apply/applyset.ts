import { createHash } from 'node:crypto';
import type { KubeObject } from '../../kube/objects.ts';
import { MANAGED_BY, MANAGED_BY_LABEL, annotations, labels, CONTENT_INVENTORY } from '../../graph/labels.ts';
import type { GroupKind } from '../object-key.ts';

/**
 * ApplySets: an object, the parent, that says which kinds in which namespaces may hold members, and a label on each member.
 * (KEP-3659; kubectl/pkg/cmd/apply/applyset.go) What one tool applied as a set, others recognize and leave alone.
 */
export const applySetKeys = {
  /** Label of a member: the id of its set. */
  partOf: 'applyset.kubernetes.io/part-of',
  /** Label of the parent: the id of the set. */
  id: 'applyset.kubernetes.io/id',
  /** Annotation of the parent: `<tool>/<version>` of who may change it. */
  tooling: 'applyset.kubernetes.io/tooling',
  /** Annotation of the parent: kinds of the members, `ConfigMap,CronJob.batch`. */
  groupKinds: 'applyset.kubernetes.io/contains-group-kinds',
  /** Annotation of the parent: namespaces of the members, but the parent's own. */
  namespaces: 'applyset.kubernetes.io/additional-namespaces',
} as const;

/** The tool in {@link applySetKeys.tooling}; its version does not matter to whether we may change the set. */
const TOOL = 'cdk8s-workflows';

/** Which inventory: the parent is the ConfigMap `applyset-<name>` in the namespace. */
export interface InventoryRef {
  /** The fleet's name, or what the user called it. */
  readonly name: string;
  readonly namespace: string;
  /** Which cluster of the fleet is written. @default none: there is no fleet */
  readonly cluster?: string;
}

/** Where members may be. */
export interface Scope {
  readonly groupKinds: ReadonlySet<GroupKind>;
  readonly namespaces: ReadonlySet<string>;
}

/** What is read of the parent of a set. */
export interface Inventory extends Scope {
  readonly id: string;
  /** Whose it is. */
  readonly tool: string;
  readonly fleet?: string;
  readonly cluster?: string;
  /** Of the parent, to notice that somebody else wrote it. */
  readonly resourceVersion?: string;
}

/** The name of the ConfigMap that is the parent. */
export function parentName({ name }: InventoryRef): string {
  return `applyset-${name}`;
}

/** The id of a set, which follows from its parent's name: nobody can take over the members of another one by its label. */
export function applySetId(parent: { name: string; namespace: string; kind: string; group: string }): string {
  const { name, namespace, kind, group } = parent;
  const hash = createHash('sha256').update(`${name}.${namespace}.${kind}.${group}`).digest('base64url');
  return `applyset-${hash}-v1`;
}

/** The id of the set of an inventory. */
export function inventoryId(ref: InventoryRef): string {
  return applySetId({ name: parentName(ref), namespace: ref.namespace, kind: 'ConfigMap', group: '' });
}

/** The parent, as it is applied. */
export function parentManifest(ref: InventoryRef, scope: Scope, version: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: parentName(ref),
      namespace: ref.namespace,
      labels: {
        [MANAGED_BY_LABEL]: MANAGED_BY,
        [labels.content]: CONTENT_INVENTORY,
        [applySetKeys.id]: inventoryId(ref),
      },
      annotations: {
        [applySetKeys.tooling]: `${TOOL}/v${version}`,
        [applySetKeys.groupKinds]: listed(scope.groupKinds),
        [applySetKeys.namespaces]: listed(new Set(scope.namespaces).difference(new Set([ref.namespace]))),
        [annotations.fleet]: ref.name,
        ...(ref.cluster !== undefined && { [annotations.cluster]: ref.cluster }),
      },
    },
  };
}

/** What a parent says, or nothing when the object is none. */
export function readInventory({ metadata }: KubeObject): Inventory | undefined {
  const id = metadata.labels?.[applySetKeys.id];
  if (id === undefined) return undefined;
  const notes = metadata.annotations ?? {};
  const { [annotations.fleet]: fleet, [annotations.cluster]: cluster } = notes;
  return {
    id,
    tool: (notes[applySetKeys.tooling] ?? '').split('/')[0]!,
    groupKinds: unlisted(notes[applySetKeys.groupKinds]),
    namespaces: new Set([metadata.namespace ?? '', ...unlisted(notes[applySetKeys.namespaces])]),
    ...(fleet !== undefined && { fleet }),
    ...(cluster !== undefined && { cluster }),
    resourceVersion: metadata.resourceVersion,
  };
}

/** Whether the set is one of ours, and not of kubectl or another tool. */
export function isOurs({ tool }: Inventory): boolean {
  return tool === TOOL;
}

/** Both scopes together. */
export function unionOf(a: Scope, b: Scope): Scope {
  return { groupKinds: a.groupKinds.union(b.groupKinds), namespaces: a.namespaces.union(b.namespaces) };
}

/** Whether two scopes say the same. */
export function isSameScope(a: Scope, b: Scope): boolean {
  return isSame(a.groupKinds, b.groupKinds) && isSame(a.namespaces, b.namespaces);
}

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && a.isSubsetOf(b);
}

function listed(set: ReadonlySet<string>): string {
  return [...set].sort().join(',');
}

function unlisted(text = ''): Set<string> {
  return new Set(text.split(',').filter((part) => part !== ''));
}
