import type { KubeObject } from '../kube/objects.ts';
import { isJsonObject } from '../values/json.ts';
import { APPLY_MANAGER } from './apply/field-managers.ts';
import { innerFields, isItem, managedFields, type FieldSet } from './apply/managed-fields.ts';

/**
 * An object as it was applied here last: the fields that are ours, with the values that the cluster has. Nothing when it was not applied by us.
 * Applied once more it changes nothing. (What ExtractInto of client-go's applyconfigurations does)
 */
export function ownedPart(live: KubeObject): KubeObject | undefined {
  const own = managedFields(live).find(
    ({ manager, operation, subresource }) => manager === APPLY_MANAGER && operation === 'Apply' && !subresource,
  );
  if (own?.fieldsV1 === undefined) return undefined;
  const { apiVersion, kind } = live;
  const { name, namespace } = live.metadata;
  const { metadata, ...fields } = partOf(own.fieldsV1, live) as Partial<KubeObject>;
  return { ...fields, apiVersion, kind, metadata: { ...metadata, name, namespace } };
}

function partOf(fields: FieldSet, value: unknown): unknown {
  const inner = innerFields(fields);
  if (inner.length === 0) return value;
  if (Array.isArray(value)) {
    // In the order that the cluster has.
    return value.flatMap((item: unknown) => {
      const found = inner.find(([path]) => isItem(path, item));
      return found === undefined ? [] : [partOf(found[1], item)];
    });
  }
  if (!isJsonObject(value)) return value;
  const owned = inner.map(([path, below]) => [path.slice('f:'.length), below] as const);
  return Object.fromEntries(
    owned.filter(([name]) => name in value).map(([name, below]) => [name, partOf(below, value[name])]),
  );
}
