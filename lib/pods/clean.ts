import type { Json } from '../values/json.ts';
import { show, suggest } from '../values/problems.ts';
import { NotKnownError, Reference, type AnyReference } from '../values/reference.ts';
import { isDirective, modeOf, readDirectives, type Patch } from './directives.ts';
import type { MergeContext } from './merge-context.ts';
import { isPlainObject } from './node.ts';
import { fieldStep, type Path } from './path.ts';
import { fieldNames, fieldSchema, type FieldSchema } from './pod-schema.ts';

/**
 * What a part of a patch says where nothing is inherited: without directives, removals and functions. A value that
 * has none of them is given back itself; nothing is given for one that asks for its own removal.
 */
export function cleanValue(
  value: unknown,
  schema: FieldSchema | undefined,
  context: MergeContext,
  path: Path,
): Json | undefined {
  if (typeof value === 'function')
    return cleanValue(callOverride(value, undefined, context, path), schema, context, path);
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) return cleanList(value, schema, context, path);
  if (!isPlainObject(value)) return value as Json;
  return cleanMap(value, schema, context, path);
}

/** Calls an override that is a function of what it inherits. It gets a copy, so that it may work in place. */
export function callOverride(
  override: unknown,
  inherited: Json | undefined,
  context: MergeContext,
  path: Path,
): unknown {
  try {
    return (override as (inherited: Json | undefined) => unknown)(inherited);
  } catch (error) {
    // Where a value is inherited that is known only at run time.
    if (!(error instanceof NotKnownError)) throw error;
    context.problem(path, error.message);
    return undefined;
  }
}

/** The fields of a map, without its directives. */
export function cleanMap(
  value: Patch,
  schema: FieldSchema | undefined,
  context: MergeContext,
  path: Path | undefined,
): Json | undefined {
  const directives = readDirectives(value, context, path);
  if (directives?.mode === 'delete') return undefined;
  let cleaned: Record<string, Json> | undefined = directives && {};
  for (const field in value) {
    if (isDirective(field)) continue;
    warnIfUnknown(field, schema, context, path);
    const inner = value[field];
    const kept = isScalar(inner)
      ? inner
      : cleanValue(inner, fieldSchema(schema?.type, field), context, { parent: path, step: fieldStep(field) });
    if (kept !== inner) cleaned ??= fieldsBefore(field, value);
    if (cleaned !== undefined && kept !== undefined) cleaned[field] = kept;
  }
  return cleaned ?? (value as Json);
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function fieldsBefore(field: string, value: Patch): Record<string, Json> {
  const names = Object.keys(value);
  return Object.fromEntries(names.slice(0, names.indexOf(field)).map((name) => [name, value[name] as Json]));
}

/** Tells of a field that Kubernetes does not have. It is kept: the cluster may be newer than we are. */
export function warnIfUnknown(
  field: string,
  schema: FieldSchema | undefined,
  context: MergeContext,
  path: Path | undefined,
): void {
  const type = schema?.type;
  if (type === undefined || fieldSchema(type, field) !== undefined) return;
  context.warning(path, field, `is no field of ${type}`, suggest(field, fieldNames(type)));
}

/** The items of a list that stay when there is no list to merge them with. */
export function cleanList(
  value: readonly unknown[],
  schema: FieldSchema | undefined,
  context: MergeContext,
  path: Path,
): Json {
  const key = typeof schema?.list === 'object' ? schema.list.key : undefined;
  let cleaned: Json[] | undefined;
  for (const [place, item] of value.entries()) {
    const kept = isScalar(item) && key === undefined ? item : cleanItem(item, schema, key, context, path, place);
    if (kept !== item) cleaned ??= value.slice(0, place) as Json[];
    if (cleaned !== undefined && kept !== undefined) cleaned.push(kept);
  }
  return cleaned ?? (value as Json);
}

function cleanItem(
  item: unknown,
  schema: FieldSchema | undefined,
  key: string | undefined,
  context: MergeContext,
  path: Path,
  place: number,
): Json | undefined {
  if (key === undefined) {
    if (item === null) return null;
    if (!isPlainObject(item) || !('$patch' in item)) return cleanValue(item, schema, context, step(path, place));
    if (modeOf(item, context, path) !== 'replace' || Object.keys(item).length > 1)
      context.problem(
        path,
        `the item ${show(item)} asks for a merge, and this list is replaced whole`,
        'give the whole list, or a function of the inherited list',
      );
    return undefined;
  }
  if (!isPlainObject(item)) {
    missingKey(item, key, context, path);
    return undefined;
  }
  const mode = modeOf(item, context, path);
  if (mode === 'replace') return (isMarker(item, context, path), undefined);
  const id = keyOf(item, key, context, path);
  return mode === 'delete' || id === undefined ? undefined : cleanMap(item, schema, context, step(path, id));
}

/** The key of an item of a keyed list. Nothing when it has none, or none yet, which is told to the context. */
export function keyOf(item: Patch, key: string, context: MergeContext, path: Path): Json | undefined {
  const id = item[key];
  if (id instanceof Reference) {
    const { expression } = id as AnyReference;
    context.problem(path, `the ${key} of an item is ${expression}, and items are merged by it`, 'write it out');
  } else if (id === undefined || id === null) missingKey(item, key, context, path);
  else return id as Json;
  return undefined;
}

/** Tells of an item of a keyed list that has no key. */
export function missingKey(item: unknown, key: string, context: MergeContext, path: Path): void {
  context.problem(path, `the item ${show(item)} has no ${key}`, `items are merged by ${key}: set it`);
}

/**
 * Whether an item says nothing but that the list is to be replaced. Kubernetes drops whatever else such an item has
 * without a word, so that is told to the context.
 */
export function isMarker(item: Patch, context: MergeContext, path: Path): boolean {
  if (Object.keys(item).length > 1)
    context.problem(
      path,
      `the item ${show(item)} would be lost: $patch 'replace' stands for the whole list`,
      "put { $patch: 'replace' } into the list as an item of its own",
    );
  return true;
}

function step(path: Path, id: unknown): Path {
  return { parent: path, step: `[${String(id)}]` };
}
