import type { KubeObject } from '../../kube/objects.ts';
import { isJsonObject } from '../../values/json.ts';
import type { ApplyFailure } from '../apply/apply-result.ts';
import { groupKindOf } from '../object-key.ts';

/** Kinds whose deletion deletes what was never in a directory: all that is in a namespace, all objects of a kind, data. */
const HOLDS_MORE = new Set([
  'Namespace',
  'CustomResourceDefinition.apiextensions.k8s.io',
  'PersistentVolumeClaim',
  'PersistentVolume',
]);

/** Why an object is kept although it left the directory, or nothing. */
export function keepReason(object: KubeObject): ApplyFailure | undefined {
  const kind = groupKindOf(object);
  if (HOLDS_MORE.has(kind)) {
    return { message: `is kept: deleting a ${object.kind} deletes more than itself`, fix: 'delete it with kubectl' };
  }
  if ((kind === 'Job.batch' || kind === 'Pod') && !isFinished(object)) {
    return { message: 'is kept: it still runs', fix: 'apply again when it has ended, or cancel it' };
  }
  return undefined;
}

/** Whether a Job or pod has come to its end. */
export function isFinished({ status }: KubeObject): boolean {
  if (!isJsonObject(status)) return false;
  const { phase, conditions } = status;
  const ended = Array.isArray(conditions) ? (conditions as readonly { type?: string; status?: string }[]) : [];
  return (
    phase === 'Succeeded' ||
    phase === 'Failed' ||
    ended.some(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True')
  );
}
