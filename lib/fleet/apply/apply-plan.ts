import type { KubeObject } from '../../kube/objects.ts';
import type { Resource } from '../../kube/resources.ts';
import { adoptionPatch } from './adoption.ts';
import { inApplyOrder } from './apply-order.ts';
import type { ApplyFailure, Manifest } from './apply-result.ts';
import { applySetKeys, inventoryId, unionOf, type Inventory, type InventoryRef, type Scope } from './applyset.ts';
import { versionMoves, type Canary, type VersionMoves } from '../canary.ts';
import { isAsApplied } from './drift.ts';
import { leavingSwitched, pauseOf } from '../failover/failover-record.ts';
import { isPauseByHand, isSuspensionByHand } from '../failover/switched-by-hand.ts';
import { APPLY_MANAGER } from './field-managers.ts';
import { heldManifest, keepingPrevious, movedManifest } from '../held-plan.ts';
import { groupKindOf, objectKey } from '../object-key.ts';
import { exceeds, limitFailure, type PruneLimit } from '../prune/prune-limit.ts';
import { keepReason } from '../prune/prune-rules.ts';
import { isVersion } from '../versions.ts';

/** A manifest with the place that it goes to. */
export interface DesiredObject extends Manifest {
  /** Left out when the object cannot be applied to this cluster. */
  readonly resource?: Resource;
  /** Why it cannot. */
  readonly failure?: ApplyFailure;
}

/** A member of the inventory, or what was found under the name of a desired object. */
export interface LiveObject {
  readonly object: KubeObject;
  readonly resource: Resource;
}

/** What is known of a cluster before it is written. */
export interface Observed {
  /** What has the name of a desired object, by {@link objectKey}. */
  readonly live: ReadonlyMap<string, KubeObject>;
  /** What carries the label of the inventory. */
  readonly members: readonly LiveObject[];
  /** The parent of the ApplySet, if there is one. */
  readonly inventory?: Inventory;
  /** Other inventories by their id, in words. */
  readonly others: ReadonlyMap<string, string>;
  /** Why members may exist that were not seen. Nothing is deleted then. */
  readonly unseen?: ApplyFailure;
  /** What runs still need, by {@link objectKey}, with why it is not deleted. */
  readonly needed?: ReadonlyMap<string, ApplyFailure>;
}

/** `refuse`: it cannot be written. `keep`: it left the directory, and is not deleted. */
export type PlannedAction = 'create' | 'change' | 'unchanged' | 'delete' | 'keep' | 'refuse';

/** What is to happen to one object. */
export interface PlannedObject {
  readonly action: PlannedAction;
  /** The manifest, or what is to be deleted. */
  readonly object: KubeObject;
  /** Left out only when it is refused. */
  readonly resource?: Resource;
  readonly source?: string;
  /** What the cluster has. */
  readonly live?: KubeObject;
  /** Whether `kubectl apply` set fields of it, which become ours. @default false */
  readonly adopts?: boolean;
  /** Whether a plan stays suspended, or not, as somebody switched it by hand and otherwise than the manifest says. @default false */
  readonly staysSwitched?: boolean;
  /** Whether a plan goes on to start runs of the version it has, though its manifest names another. @default false */
  readonly held?: boolean;
  /** Why it is refused or kept. */
  readonly reason?: ApplyFailure;
}

/** The inventory around the writes. */
export interface PlannedInventory {
  readonly ref: InventoryRef;
  readonly before?: Inventory;
  /** What was there and what will be, written before anything else. */
  readonly during: Scope;
  /** What is left when everything went well. */
  readonly after: Scope;
}

/** What is to happen on one cluster. */
export interface ApplyPlan {
  readonly objects: readonly PlannedObject[];
  readonly inventory?: PlannedInventory;
  /** Why nothing at all may be written. */
  readonly failure?: ApplyFailure;
}

/** What {@link planApply} decides by. */
export interface PlanOptions {
  /** @default none: nothing is deleted, as nobody knows what was applied before */
  readonly inventory?: InventoryRef;
  /** @default true */
  readonly prune?: boolean;
  /** @default {@link DEFAULT_PRUNE_LIMIT} */
  readonly pruneLimit?: PruneLimit;
  /** Delete more than the limit allows. @default false */
  readonly yesDelete?: boolean;
  /** Take fields that another manager set, and let go of plans that are held. @default false */
  readonly force?: boolean;
  /** Which share of the plans of a group goes to a new version. @default all of those that are not held already */
  readonly canary?: Canary;
}

/** What is to be done so that a cluster has what is desired, and no more of what the inventory knows. */
export function planApply(desired: readonly DesiredObject[], observed: Observed, options: PlanOptions): ApplyPlan {
  const wantedPlans = desired.flatMap(({ object, resource }) => (resource === undefined ? [] : object));
  const moves = versionMoves(wantedPlans, observed.live, options.canary, options.force);
  const planned = inApplyOrder(desired)
    .flat()
    .map((item) => planObject(item, observed, options, moves));
  const ref = options.inventory;
  if (ref === undefined) return { objects: planned };
  const wanted = new Set(desired.flatMap(({ object, resource }) => (resource ? objectKey(object) : [])));
  const left = observed.members.filter(
    ({ object }) =>
      !wanted.has(objectKey(object)) && !isVersion(object) && object.metadata.deletionTimestamp === undefined,
  );
  const blocked = blockedBy(desired, planned, observed, options);
  const pruned = inApplyOrder(left)
    .toReversed()
    .flat()
    .map((member) => planDeletion(member, blocked, observed.needed));
  const deleted = pruned.filter(({ action }) => action === 'delete').length;
  const objects = [...planned, ...pruned];
  const scope = scopeOf(
    ref,
    planned.filter(({ action }) => action !== 'refuse'),
  );
  const before = observed.inventory;
  const during = before === undefined ? scope : unionOf(before, scope);
  const kept = pruned.filter(({ action }) => action === 'keep');
  const after = blocked !== undefined || observed.unseen !== undefined ? during : unionOf(scope, scopeOf(ref, kept));
  const inventory = { ref, ...(before && { before }), during, after };
  const tooMany = options.yesDelete !== true && exceeds(options.pruneLimit, deleted, observed.members.length);
  return {
    objects,
    inventory,
    ...(tooMany && { failure: limitFailure(options.pruneLimit, deleted, observed.members.length) }),
  };
}

function planObject(
  item: DesiredObject,
  { live, others }: Observed,
  options: PlanOptions,
  moves: VersionMoves,
): PlannedObject {
  const { resource, source, failure } = item;
  if (failure !== undefined) return { action: 'refuse', object: item.object, source, reason: failure };
  const wanted = labelled(item.object, options.inventory);
  const found = live.get(objectKey(wanted));
  const held = moves.held.has(objectKey(wanted));
  const version = found === undefined ? wanted : withVersion(wanted, found, moves);
  const object = found === undefined || options.force ? version : leavingSwitched(version, found);
  const staysSwitched = object !== version && isSwitchedOtherwise(wanted, found!);
  const common = {
    object,
    resource,
    source,
    ...(found && { live: found }),
    ...(staysSwitched && { staysSwitched }),
    ...(held && { held }),
  };
  const reason = found && refusal(found, others, options.inventory);
  if (reason !== undefined) return { ...common, action: 'refuse', reason };
  if (found === undefined) return { ...common, action: 'create' };
  const adopts = adoptionPatch(found, options.force ?? false) !== undefined;
  if (!adopts && isAsApplied(object, found, APPLY_MANAGER)) return { ...common, action: 'unchanged' };
  return { ...common, action: 'change', adopts };
}

/** Whether somebody switched or paused a plan by hand, and otherwise than its manifest says. */
function isSwitchedOtherwise(wanted: KubeObject, live: KubeObject): boolean {
  if (isSuspensionByHand(live) && suspensionOf(wanted) !== suspensionOf(live)) return true;
  return isPauseByHand(live) && pauseOf(wanted) !== pauseOf(live);
}

function withVersion(wanted: KubeObject, found: KubeObject, { held, first }: VersionMoves): KubeObject {
  const key = objectKey(wanted);
  if (held.has(key)) return heldManifest(wanted, found);
  return first.has(key) ? movedManifest(wanted, found) : keepingPrevious(wanted, found);
}

function suspensionOf({ spec }: KubeObject): boolean {
  return (spec as { readonly suspend?: boolean } | undefined)?.suspend ?? false;
}

/** Why an object that exists must not be written. */
function refusal(
  { metadata, kind }: KubeObject,
  others: ReadonlyMap<string, string>,
  inventory: InventoryRef | undefined,
): ApplyFailure | undefined {
  if (metadata.deletionTimestamp !== undefined) {
    return { message: 'is being deleted', fix: 'apply again when it is gone' };
  }
  const set = metadata.labels?.[applySetKeys.partOf];
  if (set === undefined || set === (inventory && inventoryId(inventory))) return undefined;
  const where = metadata.namespace === undefined ? '' : ` -n ${metadata.namespace}`;
  const label = `kubectl label${where} ${kind.toLowerCase()} ${metadata.name} ${applySetKeys.partOf}-`;
  return {
    message: `belongs to ${others.get(set) ?? `the ApplySet ${set}`}`,
    fix: `apply it from there, or release it with: ${label}`,
  };
}

/** Versions are members of no inventory: several may hold the same one. */
function labelled(object: KubeObject, inventory: InventoryRef | undefined): KubeObject {
  if (inventory === undefined || isVersion(object)) return object;
  const { metadata } = object;
  const labels = { ...metadata.labels, [applySetKeys.partOf]: inventoryId(inventory) };
  return { ...object, metadata: { ...metadata, labels } };
}

/** Why nothing that left the directory is deleted. */
function blockedBy(
  desired: readonly DesiredObject[],
  planned: readonly PlannedObject[],
  { unseen }: Observed,
  { prune = true }: PlanOptions,
): ApplyFailure | undefined {
  if (!prune) return { message: 'is kept by --no-prune' };
  if (desired.length === 0) {
    return { message: 'is kept: nothing is deleted for an empty directory', fix: 'delete it with kubectl' };
  }
  if (planned.some(({ action }) => action === 'refuse')) {
    return { message: 'is kept: nothing is deleted while something cannot be applied' };
  }
  return unseen;
}

function planDeletion(
  { object, resource }: LiveObject,
  blocked: ApplyFailure | undefined,
  needed: Observed['needed'],
): PlannedObject {
  const reason = blocked ?? keepReason(object) ?? needed?.get(objectKey(object));
  return { action: reason ? 'keep' : 'delete', object, resource, live: object, ...(reason && { reason }) };
}

function scopeOf({ namespace }: InventoryRef, planned: readonly PlannedObject[]): Scope {
  const members = planned.map(({ object }) => object).filter((object) => !isVersion(object));
  const namespaces = members.flatMap(({ metadata }) => metadata.namespace ?? []);
  return { groupKinds: new Set(members.map(groupKindOf)), namespaces: new Set([namespace, ...namespaces]) };
}
