import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { adoptionPatch } from './adoption.ts';
import type { PlannedObject } from './apply-plan.ts';
import { APPLY_MANAGER } from './field-managers.ts';

/** How an object is written. */
export interface ApplyObjectOptions {
  /** @default false */
  readonly dryRun?: boolean;
  /** Take fields that another manager set. @default false */
  readonly force?: boolean;
  readonly signal?: AbortSignal;
}

/** Writes an object by server-side apply, after what kubectl set of it was made ours; gives the object as it is then. */
export async function applyObject(
  client: KubeClient,
  { object, resource, live, adopts = false }: PlannedObject,
  { dryRun = false, force = false, signal }: ApplyObjectOptions,
): Promise<KubeObject> {
  const { name, namespace } = object.metadata;
  const options = { namespace, fieldManager: APPLY_MANAGER, signal };
  if (adopts && !dryRun) {
    await client.patch(resource!, name, adoptionPatch(live!, force), { type: 'json', ...options });
  }
  return client.patch(resource!, name, object, {
    type: 'apply',
    ...options,
    fieldValidation: 'Strict',
    // What would be ours by then is no conflict.
    force: force || (adopts && dryRun),
    dryRun,
  });
}
