import { isNotFound } from '../../kube/errors.ts';
import { jobs } from '../../kube/resources.ts';
import type { Logger } from '../log.ts';
import type { Job } from '../objects.ts';
import type { PlanObject } from './planned-run.ts';
import { beyondHistory, isTicked } from './ticks.ts';
import type { RunClient } from '../worker-context.ts';

/**
 * Deletes the finished runs of a plan that its history limits let go, among those that the controller made: Kubernetes looks after its own.
 *
 * @param runs those of the plan that are known
 */
export async function pruneHistory(
  { client, log }: { readonly client: RunClient; readonly log: Logger },
  plan: PlanObject,
  runs: readonly Job[],
): Promise<void> {
  const { successfulJobsHistoryLimit: succeeded = 3, failedJobsHistoryLimit: failed = 1 } = plan.spec;
  // Those of a backfill belong to no CronJob, and to no history.
  const own = runs.filter(({ metadata }) => metadata.ownerReferences?.some(({ kind }) => kind === 'CronJob'));
  const old = beyondHistory(own, { succeeded, failed }).filter(isTicked);
  for (const { metadata } of old)
    await client
      .delete(jobs, metadata.name, {
        namespace: metadata.namespace,
        uid: metadata.uid,
        propagationPolicy: 'Background',
      })
      .catch((error: unknown) => {
        if (!isNotFound(error)) log.warn('An old run could not be deleted', { run: metadata.name, error });
      });
}
