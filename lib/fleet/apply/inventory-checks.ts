import type { ApplyFailure } from './apply-result.ts';
import { inventoryId, isOurs, parentName, readInventory, type InventoryRef } from './applyset.ts';
import type { KubeObject } from '../../kube/objects.ts';

/** Why an inventory that was found must not be used for a directory, or nothing. */
export function inventoryProblem(parent: KubeObject, ref: InventoryRef): ApplyFailure | undefined {
  const where = `${ref.namespace}/${parentName(ref)}`;
  const found = readInventory(parent);
  if (found?.id !== inventoryId(ref)) {
    return {
      message: `the ConfigMap ${where} is no inventory of this name`,
      fix: 'give another name by --applyset, or delete it if nobody needs it',
    };
  }
  if (!isOurs(found)) {
    return {
      message: `the ApplySet ${where} is kept by "${found.tool}"`,
      fix: 'apply with that tool, or give another name by --applyset',
    };
  }
  if (found.fleet !== ref.name) {
    return {
      message: `the inventory ${where} is of the fleet "${found.fleet ?? ''}", and the directory of "${ref.name}"`,
      fix: 'apply the directory of that fleet, or give this one another namespace',
    };
  }
  if (found.cluster === ref.cluster) return undefined;
  const written = ref.cluster === undefined ? 'without a fleet' : `for the cluster "${ref.cluster}"`;
  const earlier = found.cluster === undefined ? 'without a fleet' : `for the cluster "${found.cluster}"`;
  return {
    message: `the inventory ${where} was applied ${earlier}, and the directory is ${written}`,
    fix: 'check that the context leads to the right cluster',
  };
}
