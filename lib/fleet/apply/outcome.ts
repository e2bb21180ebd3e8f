import type { KubeObject } from '../../kube/objects.ts';
import { canonicalJson } from '../../values/json.ts';
import type { ApplyOutcome } from './apply-result.ts';

interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly time?: string;
}

/** What an apply did, from the object before it and the answer to it. */
export function outcomeOf(
  before: KubeObject | undefined,
  after: KubeObject,
  { dryRun, manager }: { readonly dryRun: boolean; readonly manager: string },
): ApplyOutcome {
  if (before === undefined) return dryRun || isNew(after, manager) ? 'created' : 'configured';
  // An apply that changes nothing leaves the version as it is. A new version may yet say the same: when only the ownership
  // of a field changed (as of the label that the server gives a Namespace), or its controller wrote the status meanwhile.
  const same = before.metadata.resourceVersion === after.metadata.resourceVersion && !dryRun;
  return same || content(before) === content(after) ? 'unchanged' : 'configured';
}

/** Whether nobody but us ever wrote it, and we only now: it may have existed without the labels by which we looked for it. */
function isNew({ metadata }: KubeObject, manager: string): boolean {
  const writers = (metadata.managedFields ?? []) as readonly ManagedFields[];
  return writers.every((entry) => entry.manager === manager && entry.time === metadata.creationTimestamp);
}

/** What people want of an object: all but its status and what every write changes. */
function content({ metadata, status: _status, ...rest }: KubeObject): string {
  const { resourceVersion: _version, managedFields: _fields, generation: _generation, ...kept } = metadata;
  return canonicalJson({ ...rest, metadata: kept });
}
