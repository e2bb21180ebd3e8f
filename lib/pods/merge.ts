import { isJsonObject, type Json } from '../values/json.ts';
import { InvalidError, show } from '../values/problems.ts';
import { fieldSchema, POD_TEMPLATE, type FieldSchema } from './pod-schema.ts';
import type { PodTemplate, PodTemplateOverride } from './template.ts';

type Fields = Readonly<Record<string, Json | undefined>>;

/**
 * Merges an override over a template by Kubernetes' strategic merge: maps merge, lists with a merge key merge by
 * it and keep their order, other lists are replaced, `null` removes, and `false`, `0` and `''` are values.
 * Neither argument is changed. (apimachinery/pkg/util/strategicpatch)
 *
 * @throws InvalidError when an item of a keyed list lacks its key
 */
export function mergePodTemplate(base: PodTemplate, override: PodTemplateOverride): PodTemplate {
  return mergeFields(base as Fields, override as Fields, POD_TEMPLATE, '') as PodTemplate;
}

/** Merges layers, low to high; layers that are not set are passed over. */
export function mergeLayers(layers: readonly (PodTemplateOverride | undefined)[]): PodTemplate {
  return layers.reduce<PodTemplate>(
    (merged, layer) => (layer === undefined ? merged : mergePodTemplate(merged, layer)),
    {},
  );
}

function mergeFields(base: Fields, patch: Fields, type: string | undefined, path: string): Fields {
  const merged: Record<string, Json | undefined> = { ...base };
  for (const [field, value] of Object.entries(patch)) {
    const at = path === '' ? field : `${path}.${field}`;
    if (value === null) delete merged[field];
    else if (value !== undefined) merged[field] = mergeValue(merged[field], value, fieldSchema(type, field), at);
  }
  return merged;
}

function mergeValue(base: Json | undefined, patch: Json, schema: FieldSchema | undefined, path: string): Json {
  if (Array.isArray(patch)) return mergeList(Array.isArray(base) ? base : [], patch, schema, path);
  if (isJsonObject(patch)) return mergeFields(isJsonObject(base) ? base : {}, patch, schema?.type, path) as Json;
  return patch;
}

function mergeList(base: readonly Json[], patch: readonly Json[], schema: FieldSchema | undefined, path: string): Json {
  if (schema?.list === 'set') return [...base, ...patch.filter((item) => !base.includes(item))];
  if (typeof schema?.list !== 'object') return patch;
  const { key } = schema.list;
  const merged = [...base];
  const places = new Map(merged.map((item, index) => [keyOf(item, key), index] as const));
  for (const item of patch) {
    const id = keyOf(item, key);
    if (id === undefined || !isJsonObject(item))
      throw new InvalidError('Pod template', [
        { path, message: `the item ${show(item)} has no ${key}`, fix: `items are merged by ${key}: set it` },
      ]);
    const place = places.get(id) ?? merged.length;
    merged[place] = mergeFields((merged[place] ?? {}) as Fields, item, schema.type, `${path}[${String(id)}]`) as Json;
    places.set(id, place);
  }
  return merged;
}

function keyOf(item: Json, key: string): Json | undefined {
  return isJsonObject(item) ? item[key] : undefined;
}
