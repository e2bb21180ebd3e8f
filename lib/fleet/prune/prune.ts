import type { KubeClient } from '../../kube/client.ts';
import { isConflict, isNotFound } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { Resource } from '../../kube/resources.ts';
import type { LiveObject } from '../apply/apply-plan.ts';
import type { ApplyFailure } from '../apply/apply-result.ts';
import { applySetKeys } from '../apply/applyset.ts';
import { groupKindOf } from '../object-key.ts';
import { releaseRuns } from './release-runs.ts';

/** Tries after an object was written between our reading it and deleting it. */
const TRIES = 5;

/** What became of an object that was to be deleted. */
export type PruneOutcome = { readonly outcome: 'pruned' } | { readonly outcome: 'kept'; readonly reason: ApplyFailure };

/** How to delete. */
export interface PruneOptions {
  /** The id of the inventory that the object belongs to. */
  readonly id: string;
  /** @default false */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Deletes a member of an inventory: that very object, in the version in which it was seen to be a member. If it was written since, it is
 * read again, and deleted only if it still is one. A CronJob's runs go on: see {@link releaseRuns}.
 */
export async function prune(client: KubeClient, member: LiveObject, options: PruneOptions): Promise<PruneOutcome> {
  const { resource } = member;
  const { id, dryRun = false, signal } = options;
  const isPlan = groupKindOf(member.object) === 'CronJob.batch';
  let { object } = member;
  for (let attempt = 1; ; attempt++) {
    const { name, namespace, uid, resourceVersion } = object.metadata;
    if (isPlan && !dryRun) await releaseRuns(client, object, signal);
    try {
      // Jobs are orphaned once more: the CronJob controller may just have created one that was not listed yet.
      const propagationPolicy = isPlan ? 'Orphan' : 'Background';
      const preconditions = { uid, resourceVersion, propagationPolicy, dryRun } as const;
      await client.delete(resource, name, { namespace, signal, ...preconditions });
      return { outcome: 'pruned' };
    } catch (error) {
      if (isNotFound(error)) return { outcome: 'pruned' };
      if (!isConflict(error) || attempt === TRIES) throw error;
    }
    const again = await read(client, resource, object, signal);
    if (again === undefined || again.metadata.uid !== uid || again.metadata.deletionTimestamp !== undefined) {
      return { outcome: 'pruned' };
    }
    if (again.metadata.labels?.[applySetKeys.partOf] !== id) {
      return { outcome: 'kept', reason: { message: 'is kept: somebody took it out of the inventory' } };
    }
    object = again;
  }
}

async function read(
  client: KubeClient,
  resource: Resource,
  { metadata }: KubeObject,
  signal: AbortSignal | undefined,
): Promise<KubeObject | undefined> {
  try {
    return await client.get(resource, metadata.name, { namespace: metadata.namespace, signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
