import { annotations } from '../../graph/labels.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { HAND_MANAGER } from '../apply/field-managers.ts';
import { managedFields, type FieldSet } from '../apply/managed-fields.ts';

/** Whether it was by a command that somebody last said whether a plan or run is suspended. */
export function isSuspensionByHand(object: KubeObject): boolean {
  return isByHand(object, (fields) => fields['f:spec']?.['f:suspend']);
}

/** Whether it was by a command that somebody last said until when a plan is paused. */
export function isPauseByHand(object: KubeObject): boolean {
  return isByHand(
    object,
    (fields) =>
      fields['f:spec']?.['f:jobTemplate']?.['f:metadata']?.['f:annotations']?.[`f:${annotations.pausedUntil}`],
  );
}

function isByHand({ metadata }: KubeObject, field: (fields: FieldSet) => FieldSet | undefined): boolean {
  return managedFields({ metadata }).some(
    ({ manager, fieldsV1 }) => manager === HAND_MANAGER && fieldsV1 !== undefined && field(fieldsV1) !== undefined,
  );
}
