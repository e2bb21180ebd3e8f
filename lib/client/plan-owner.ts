import { applySetKeys } from '../fleet/apply/applyset.ts';
import { labels, MANAGED_BY } from '../graph/labels.ts';
import type { KubeObject } from '../kube/objects.ts';
import { WorkflowsError } from '../runs/errors.ts';

/**
 * Plans that manifests say are changed there, and those of another program by that.
 *
 * @throws WorkflowsError
 */
export function checkOwner({ metadata }: KubeObject, by: string): void {
  const { name, labels: given = {}, deletionTimestamp } = metadata;
  const owner = given[labels.registeredBy];
  if (given[labels.managedBy] !== MANAGED_BY)
    throw new WorkflowsError('Conflict', `There is a CronJob ${name} that is no launch plan; take another name`);
  if (owner === undefined || given[applySetKeys.partOf] !== undefined)
    throw new WorkflowsError('Conflict', `The plan ${name} is applied from manifests; change or delete it there`);
  if (owner !== by)
    throw new WorkflowsError('Conflict', `The plan ${name} was registered by ${owner}, and this program is ${by}`);
  if (deletionTimestamp !== undefined)
    throw new WorkflowsError('Conflict', `The plan ${name} is being deleted; try again when it is gone`);
}
