import type { AttemptState } from '../../engine/advance.ts';
import type { IndexedMapStep } from '../../graph/graph.ts';
import { eachObject } from '../../kube/pages.ts';
import { pods } from '../../kube/resources.ts';
import { endedJobState, hasUnseenItems, seeItem, type SeenItems } from './indexed-job-state.ts';
import { isOwnedBy, type Job, type Pod } from '../objects.ts';
import type { WorkerContext } from '../worker-context.ts';

/**
 * What the end of an Indexed Job is for the step. What the watch of pods has not shown yet, or showed somebody who did not
 * live to tell, is looked up.
 */
export async function indexedJobEnd(
  { client, clock }: WorkerContext,
  step: IndexedMapStep,
  job: Job,
  seen: SeenItems,
  signal: AbortSignal,
): Promise<AttemptState> {
  const { namespace, name, uid } = job.metadata;
  if (hasUnseenItems(job, seen)) {
    const query = { namespace, labelSelector: `batch.kubernetes.io/job-name=${name}`, signal };
    for await (const pod of eachObject<Pod>(client, pods, query))
      if (isOwnedBy(pod, uid!)) seeItem(seen, pod, clock.now());
  }
  return endedJobState(step, job, seen, clock.now());
}
