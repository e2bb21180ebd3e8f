import { labels, MANAGED_BY } from '../../graph/labels.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { APPLY_MANAGER } from './field-managers.ts';
import { managedFields, unionFields, withoutField, type FieldSet, type ManagedFieldsEntry } from './managed-fields.ts';

/** What `kubectl apply` without `--server-side` calls itself, and where it keeps what it applied. */
const CLIENT_SIDE = 'kubectl-client-side-apply';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * A JSON patch that makes fields ours which `kubectl apply` set client-side, or nothing when there are none. Without it they would
 * conflict for ever with a manager that nobody uses any more, and those that the manifest no longer has would stay. Only what says
 * to be of this project is taken, or everything when forced: others may have an object of the same name.
 * (What kubectl does when an object goes over to server-side apply: client-go/util/csaupgrade)
 */
export function adoptionPatch(live: KubeObject, force: boolean): readonly object[] | undefined {
  if (!force && live.metadata.labels?.[labels.managedBy] !== MANAGED_BY) return undefined;
  const entries = managedFields(live);
  const theirs = entries.filter((entry) => isClientSide(entry));
  if (theirs.length === 0) return undefined;
  const ours = entries.find((entry) => isOurs(entry));
  const { apiVersion } = ours ?? theirs[0]!;
  const taken = theirs.filter((entry) => entry.apiVersion === apiVersion);
  const fieldsV1 = [ours, ...taken].reduce<FieldSet>((all, entry) => unionFields(all, entry?.fieldsV1 ?? {}), {});
  const adopted: ManagedFieldsEntry = {
    manager: APPLY_MANAGER,
    operation: 'Apply',
    apiVersion,
    time: taken[0]?.time,
    fieldsType: 'FieldsV1',
    fieldsV1: withoutField(fieldsV1, ['f:metadata', 'f:annotations', `f:${LAST_APPLIED}`]),
  };
  const others = entries.filter((entry) => entry !== ours && !taken.includes(entry));
  const noted = live.metadata.annotations?.[LAST_APPLIED] !== undefined;
  return [
    { op: 'test', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
    { op: 'replace', path: '/metadata/managedFields', value: [...others, adopted] },
    ...(noted ? [{ op: 'remove', path: `/metadata/annotations/${LAST_APPLIED.replace('/', '~1')}` }] : []),
  ];
}

function isClientSide({ manager, operation, subresource }: ManagedFieldsEntry): boolean {
  return manager === CLIENT_SIDE && operation === 'Update' && !subresource;
}

function isOurs({ manager, operation, subresource }: ManagedFieldsEntry): boolean {
  return manager === APPLY_MANAGER && operation === 'Apply' && !subresource;
}
