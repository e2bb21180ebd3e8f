import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { cronJobs } from '../../kube/resources.ts';
import { applyObject, type ApplyObjectOptions } from './apply-object.ts';
import { leavingSwitched } from '../failover/failover-record.ts';

/**
 * Writes a plan as `apply` would: whether it is suspended is left to whoever switched it. Only over the version that was read, so that what somebody
 * else has just written is not undone.
 */
export function writePlan(
  client: KubeClient,
  manifest: KubeObject,
  live: KubeObject,
  options: Pick<ApplyObjectOptions, 'dryRun' | 'force'>,
): Promise<KubeObject> {
  const { resourceVersion, name, namespace } = live.metadata;
  const metadata = { ...manifest.metadata, name, namespace, resourceVersion };
  const object = leavingSwitched({ ...manifest, metadata }, live);
  return applyObject(client, { action: 'change', object, resource: cronJobs, live }, options);
}
