import { labels } from '../../graph/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { eachObject } from '../../kube/pages.ts';
import { jobs } from '../../kube/resources.ts';
import { inParallel } from '../in-parallel.ts';

/** How long a run of a plan that was deleted is kept after its end: no history limit holds for it any more. */
const KEPT_SECONDS = 7 * 24 * 3600;

const REQUESTS_AT_ONCE = 8;

interface PlanLike extends KubeObject {
  readonly spec?: {
    readonly jobTemplate?: { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } };
  };
}

interface Run extends KubeObject {
  readonly spec: { readonly ttlSecondsAfterFinished?: number };
}

/**
 * Takes a plan's runs from it, so that they outlive it. The garbage collector deletes what has only owners that are gone, and it
 * may come to hear of a Job after its CronJob was deleted, even one deleted with `Orphan`. (pkg/controller/garbagecollector:
 * attemptToOrphanWorker looks at the dependents it knows)
 */
export async function releaseRuns(client: KubeClient, plan: PlanLike, signal?: AbortSignal): Promise<void> {
  const { name, namespace, uid } = plan.metadata;
  // Where the template says whose its Jobs are, those of a thousand other plans are not read. A CronJob that is no plan has all looked through.
  const isPlan = plan.spec?.jobTemplate?.metadata?.labels?.[labels.plan] === name;
  const labelSelector = isPlan ? `${labels.plan}=${name}` : undefined;
  const owned: Run[] = [];
  for await (const run of eachObject<Run>(client, jobs, { namespace, labelSelector, signal }))
    if (isOwned(run, uid!) || isBackfill(run, name)) owned.push(run);
  await inParallel(owned, REQUESTS_AT_ONCE, (run) => release(client, run, uid!, signal));
}

function isOwned({ metadata }: Run, plan: string): boolean {
  return metadata.ownerReferences?.some(({ uid }) => uid === plan) ?? false;
}

/** It is owned by nobody, and would stay for ever. */
function isBackfill({ metadata: { labels: given } }: Run, plan: string): boolean {
  return given?.[labels.backfill] !== undefined && given[labels.plan] === plan;
}

async function release(
  client: KubeClient,
  { metadata, spec }: Run,
  owner: string,
  signal?: AbortSignal,
): Promise<void> {
  const { name, namespace, uid } = metadata;
  const patch = {
    // With its uid the patch is refused for a later Job of the same name.
    metadata: { uid, ownerReferences: [{ $patch: 'delete', uid: owner }] },
    ...(spec.ttlSecondsAfterFinished === undefined && { spec: { ttlSecondsAfterFinished: KEPT_SECONDS } }),
  };
  try {
    await client.patch(jobs, name, patch, { type: 'strategic', namespace, signal, repeatable: true });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
