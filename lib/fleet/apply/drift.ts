import type { KubeObject } from '../../kube/objects.ts';
import { isJsonObject } from '../../values/json.ts';
import { compareQuantities } from '../../values/quantity.ts';
import { innerFields, isItem, managedFields, type FieldSet } from './managed-fields.ts';

/**
 * Whether applying a manifest would change nothing: its manager owns exactly its fields, and they have its values. That it owns
 * them means that nobody else changed one since, as the API server takes a field from its owner when another one changes it; that
 * it owns no more means that none was taken out of the manifest. A value that the API server writes in another way than the
 * manifest counts as different: then one apply too many is sent, which it finds to change nothing.
 */
export function isAsApplied(manifest: KubeObject, live: KubeObject, manager: string): boolean {
  const own = managedFields(live).find(
    (entry) => entry.manager === manager && entry.operation === 'Apply' && !entry.subresource,
  );
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = manifest;
  const { name: _name, namespace: _namespace, ...owned } = metadata;
  const wanted = { ...rest, ...(Object.keys(owned).length > 0 && { metadata: owned }) };
  // Of an object with nothing but a name there is nothing to own, and the API server notes no owner.
  if (own?.fieldsV1 === undefined) return given(wanted).length === 0;
  return own.apiVersion === manifest.apiVersion && isSame(own.fieldsV1, wanted, live, { field: '' });
}

/** Where a value stands: the name of its field, and of the one around that. */
interface Place {
  readonly field: string;
  readonly within?: string;
}

function isSame(fields: FieldSet, wanted: unknown, live: unknown, place: Place): boolean {
  const inner = innerFields(fields);
  if (inner.length === 0) return contains(live, wanted, place);
  if (Array.isArray(wanted)) return Array.isArray(live) && isSameList(inner, wanted, live, place);
  if (!isJsonObject(wanted) || !isJsonObject(live)) return false;
  const entries = given(wanted);
  return (
    entries.length === inner.length &&
    entries.every(([name, value]) => {
      const below = fields[`f:${name}`];
      return below !== undefined && isSame(below, value, live[name], inside(place, name));
    })
  );
}

/** A list whose items have owners of their own; others may have put in more. */
function isSameList(
  inner: readonly (readonly [string, FieldSet])[],
  wanted: readonly unknown[],
  live: readonly unknown[],
  place: Place,
): boolean {
  return (
    inner.length === wanted.length &&
    inner.every(([path, fields]) => {
      const ours = wanted.find((item) => isItem(path, item));
      const theirs = live.find((item) => isItem(path, item));
      return ours !== undefined && theirs !== undefined && isSame(fields, ours, theirs, place);
    })
  );
}

/** Whether the API server has a value, beside which it may have set defaults. */
function contains(live: unknown, wanted: unknown, place: Place): boolean {
  if (Array.isArray(wanted)) {
    const items = Array.isArray(live) ? (live as unknown[]) : [];
    return items.length === wanted.length && wanted.every((item, index) => contains(items[index], item, place));
  }
  if (isJsonObject(wanted)) {
    return (
      isJsonObject(live) && given(wanted).every(([name, value]) => contains(live[name], value, inside(place, name)))
    );
  }
  return live === wanted || (isAmount(place) && isSameAmount(live, wanted));
}

function inside({ field }: Place, name: string): Place {
  return { field: name, within: field };
}

function given(object: object): readonly (readonly [string, unknown])[] {
  return Object.entries(object).filter(([, value]) => value !== undefined);
}

const AMOUNTS_BY_NAME = new Set(['requests', 'limits', 'hard', 'capacity', 'default', 'defaultRequest', 'max', 'min']);

/** The API server writes `1000m` of a CPU as `1`. */
function isAmount({ field, within }: Place): boolean {
  return field === 'sizeLimit' || (within !== undefined && AMOUNTS_BY_NAME.has(within));
}

function isSameAmount(a: unknown, b: unknown): boolean {
  const scalar = (value: unknown) => typeof value === 'string' || typeof value === 'number';
  return scalar(a) && scalar(b) && compareQuantities(a, b) === 0;
}
