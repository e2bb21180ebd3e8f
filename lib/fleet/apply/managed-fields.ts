import { isJsonObject } from '../../values/json.ts';

/**
 * A set of fields as the API server notes it: `f:<name>` is a field, `k:<json>` the item of a list with these keys, `v:<json>` a
 * value of a set, `.` the place itself. Nothing below a place means all of it. (structured-merge-diff/fieldpath/serialize.go)
 */
export interface FieldSet {
  readonly [path: string]: FieldSet;
}

/** An entry of `metadata.managedFields`. */
export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: string;
  readonly apiVersion?: string;
  readonly time?: string;
  readonly fieldsType?: string;
  readonly fieldsV1?: FieldSet;
  readonly subresource?: string;
}

/** Who wrote which fields of an object. */
export function managedFields({
  metadata,
}: {
  readonly metadata: { managedFields?: unknown[] };
}): readonly ManagedFieldsEntry[] {
  return (metadata.managedFields ?? []) as readonly ManagedFieldsEntry[];
}

/** What is below a place, without the place itself. */
export function innerFields(fields: FieldSet): readonly (readonly [string, FieldSet])[] {
  return Object.entries(fields).filter(([path]) => path !== '.');
}

/** Both sets together. */
export function unionFields(a: FieldSet, b: FieldSet): FieldSet {
  const both: Record<string, FieldSet> = { ...a };
  for (const [path, fields] of Object.entries(b)) both[path] = path in a ? unionFields(a[path]!, fields) : fields;
  return both;
}

/** The set without one field, and without the places that are empty then. */
export function withoutField(fields: FieldSet, [first, ...rest]: readonly string[]): FieldSet {
  if (first === undefined || !(first in fields)) return fields;
  const { [first]: inner, ...others } = fields;
  if (rest.length === 0) return others;
  const left = withoutField(inner!, rest);
  return innerFields(left).length > 0 ? { ...others, [first]: left } : others;
}

/** Whether an item of a list is the one that `k:<json>` or `v:<json>` names. A key that the item leaves out has its default. */
export function isItem(path: string, item: unknown): boolean {
  const named: unknown = JSON.parse(path.slice(2));
  if (path.startsWith('v:')) return item === named;
  return (
    path.startsWith('k:') &&
    isJsonObject(item) &&
    isJsonObject(named) &&
    Object.entries(named).every(([key, value]) => item[key] === undefined || item[key] === value)
  );
}
