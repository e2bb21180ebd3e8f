import type { KubeClient } from '../../kube/client.ts';
import type { ApplyResult, Manifest } from './apply-result.ts';
import { planCluster, type ClusterPlanOptions } from './cluster-plan.ts';
import { executePlan, type ExecuteOptions } from './execute-plan.ts';

/** How to plan and apply without anybody looking at the plan. */
export type ApplyOptions = ClusterPlanOptions & ExecuteOptions;

/**
 * Plans for one cluster and carries the plan out.
 *
 * @throws the signal's reason when it is aborted
 */
export async function applyCluster(
  client: KubeClient,
  manifests: readonly Manifest[],
  options: ApplyOptions = {},
): Promise<ApplyResult> {
  return executePlan(client, await planCluster(client, manifests, options), options);
}
