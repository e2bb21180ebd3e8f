import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import { applyFailure } from './apply-failure.ts';
import { applyObject } from './apply-object.ts';
import type { ApplyPlan, PlannedAction, PlannedObject } from './apply-plan.ts';
import type { ApplyFailure } from './apply-result.ts';
import { inParallel } from '../in-parallel.ts';
import { objectDifferences, type FieldDifference } from './object-diff.ts';

const REQUESTS_AT_ONCE = 16;

/** What an apply would do to one object. */
export interface ObjectDiff {
  readonly action: PlannedAction;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly source?: string;
  /** Of an object that is created, all fields of its manifest. */
  readonly changes: readonly FieldDifference[];
  /** Why it could not be applied, or is kept. */
  readonly reason?: ApplyFailure;
}

/**
 * What a plan would change, field by field, as the API server and its admission would make of it: a dry run of each object that drifted. What
 * would not change is left out.
 *
 * @throws the signal's reason when it is aborted
 */
export async function diffCluster(
  client: KubeClient,
  plan: ApplyPlan,
  options: { readonly force?: boolean; readonly signal?: AbortSignal } = {},
): Promise<readonly ObjectDiff[]> {
  const brought = plan.objects
    .filter(({ object }) => object.kind === 'Namespace')
    .map(({ object }) => object.metadata.name);
  const diffs = await inParallel(plan.objects, REQUESTS_AT_ONCE, async (planned): Promise<ObjectDiff | undefined> => {
    const { action, object, live, source, reason } = planned;
    const { name, namespace } = object.metadata;
    const about = { kind: object.kind, name, namespace, source };
    if (action === 'unchanged') return undefined;
    if (action !== 'create' && action !== 'change') return { ...about, action, changes: [], ...(reason && { reason }) };
    try {
      const after = await applied(client, planned, new Set(brought), options);
      const changes = objectDifferences(live, action === 'create' ? object : after);
      return changes.length === 0 ? undefined : { ...about, action, changes };
    } catch (error) {
      options.signal?.throwIfAborted();
      return { ...about, action: 'refuse', changes: [], reason: applyFailure(error) };
    }
  });
  return diffs.filter((diff) => diff !== undefined);
}

async function applied(
  client: KubeClient,
  planned: PlannedObject,
  brought: ReadonlySet<string>,
  options: { readonly force?: boolean; readonly signal?: AbortSignal },
) {
  try {
    return await applyObject(client, planned, { ...options, dryRun: true });
  } catch (error) {
    // Nothing can be tried in a namespace that is not there yet.
    if (isNotFound(error) && brought.has(planned.object.metadata.namespace ?? '')) return planned.object;
    throw error;
  }
}
