import { kickoffText } from '../../graph/kickoff.ts';
import { CONTENT_PLAN, labels } from '../../graph/labels.ts';
import { decodePlanRecord, PLAN_RECORD_KEY } from '../../graph/plan-record.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isForbidden } from '../../kube/errors.ts';
import { eachObject } from '../../kube/pages.ts';
import { configMaps } from '../../kube/resources.ts';
import type { ConfigMapObject } from '../../runs/run-objects.ts';
import type { ListedRun } from './runs-view.ts';

/**
 * The last runs that plans skipped, as their records tell. To those who may not read records there are none.
 *
 * @param chosen label selectors of the plans
 */
export async function skippedRuns(
  client: KubeClient,
  namespace: string | null | undefined,
  chosen: readonly string[],
): Promise<readonly ListedRun[]> {
  const labelSelector = [`${labels.content}=${CONTENT_PLAN}`, ...chosen].join();
  const runs: ListedRun[] = [];
  try {
    for await (const record of eachObject<ConfigMapObject>(client, configMaps, { namespace, labelSelector }))
      runs.push(...rowsOf(record));
  } catch (error) {
    if (!isForbidden(error)) throw error;
  }
  return runs;
}

function rowsOf({ metadata, data }: ConfigMapObject): readonly ListedRun[] {
  const { [labels.plan]: plan, [labels.workflow]: workflow } = metadata.labels ?? {};
  return decodePlanRecord(data?.[PLAN_RECORD_KEY]).skipped.map(({ name, time, reason, message }) => ({
    name,
    namespace: metadata.namespace ?? '',
    plan,
    workflow,
    phase: 'Skipped',
    reason,
    message,
    createdAt: kickoffText(time),
  }));
}
