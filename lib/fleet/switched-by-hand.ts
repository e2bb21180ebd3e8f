import type { KubeObject } from '../kube/objects.ts';
import { HAND_MANAGER } from './field-managers.ts';
import { managedFields } from './managed-fields.ts';

/** Whether it was by a command that somebody last said whether a plan or run is suspended. */
export function isSuspensionByHand({ metadata }: KubeObject): boolean {
  return managedFields({ metadata }).some(
    ({ manager, fieldsV1 }) => manager === HAND_MANAGER && fieldsV1?.['f:spec']?.['f:suspend'] !== undefined,
  );
}
