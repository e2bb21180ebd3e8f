import { fieldSchema } from '../../lib/pods/pod-schema.ts';
import { isJsonObject, type Json, type JsonObject } from '../../lib/values/json.ts';
import type { Draw } from './draw.ts';
import { fieldsOf, fieldType } from './field-types.ts';
import { makeField, makeKey, makeObject } from './make-template.ts';

type Fields = Record<string, Json>;

/**
 * A strategic merge patch for an object of a type, by drawing, that touches the field at the end of `way`. It has a
 * directive only where the object has something for it to work on: where it has not, see deviations.ts.
 */
export function makePatch(draw: Draw, base: JsonObject, type: string, way: readonly string[] = []): Fields {
  const fields = fieldsOf(type)!;
  const chosen = new Set([...draw.some(fields, 1), ...draw.some(Object.keys(base), 2)]);
  if (way[0] !== undefined) chosen.add(way[0]);
  const patch: Fields = {};
  for (const field of chosen) patchField(draw, patch, base, type, field, field === way[0] ? way.slice(1) : []);
  if (Object.keys(base).length > 0 && draw.oneIn(15)) retainKeys(draw, patch, base);
  return patch;
}

function patchField(
  draw: Draw,
  patch: Fields,
  base: JsonObject,
  type: string,
  field: string,
  way: readonly string[],
): void {
  const here = base[field];
  const { of, in: place } = fieldType(type, field);
  if (way.length === 0 && draw.oneIn(8)) patch[field] = null;
  else if (here === undefined || isEmpty(here)) patch[field] = withNulls(draw, makeField(draw, type, field, way));
  else if (place === 'list') patchList(draw, patch, here as readonly Json[], type, field, way);
  else if (place === 'map') patch[field] = patchMap(draw, here as JsonObject, () => makeField(draw, type, field));
  else if (fieldsOf(of) === undefined) patch[field] = makeField(draw, type, field);
  else patch[field] = patchObject(draw, here as JsonObject, of, way);
}

function patchObject(draw: Draw, base: JsonObject, type: string, way: readonly string[]): Json {
  if (way.length === 0 && draw.oneIn(20)) return { $patch: 'delete' };
  if (draw.oneIn(12)) return { $patch: 'replace', ...makeObject(draw, type, way) };
  return makePatch(draw, base, type, way);
}

function patchMap(draw: Draw, base: JsonObject, more: () => Json): Json {
  if (draw.oneIn(15)) return { $patch: 'delete' };
  const changes = {
    ...(more() as JsonObject),
    ...Object.fromEntries(draw.some(Object.keys(base), 1).map((key) => [key, null])),
  };
  if (draw.oneIn(10)) return { $patch: 'replace', ...(more() as JsonObject) };
  const patch: Fields = { ...changes };
  if (draw.oneIn(12)) retainKeys(draw, patch, base);
  return patch;
}

/** Names all that the patch sets, and some of what is there. */
function retainKeys(draw: Draw, patch: Fields, base: JsonObject): void {
  const set = Object.keys(patch).filter((field) => patch[field] !== null && !field.startsWith('$'));
  patch['$retainKeys'] = [...new Set([...draw.some(Object.keys(base), 2), ...set])];
}

function patchList(
  draw: Draw,
  patch: Fields,
  base: readonly Json[],
  type: string,
  field: string,
  way: readonly string[],
): void {
  const list = fieldSchema(type, field)?.list;
  const { of } = fieldType(type, field);
  if (typeof list === 'object') return patchItems(draw, patch, base as readonly JsonObject[], of, list.key, field, way);
  const scalars = fieldsOf(of) === undefined;
  const deletes = scalars && draw.oneIn(5);
  const gone = draw.some([...base, 'b'], 1);
  if (deletes) patch[`$deleteFromPrimitiveList/${field}`] = gone;
  if (deletes && (list === 'atomic' || draw.oneIn(2))) return;
  const given = makeField(draw, type, field, way) as readonly Json[];
  const values = deletes ? given.filter((value) => !gone.includes(value)) : given;
  if (!scalars || !draw.oneIn(5)) patch[field] = values;
  else {
    const order = draw.shuffled([...new Set([...base, ...values])]);
    if (order.length > 0) patch[`$setElementOrder/${field}`] = order;
    if (draw.oneIn(2)) patch[field] = order.filter((value) => values.includes(value));
  }
}

function patchItems(
  draw: Draw,
  patch: Fields,
  base: readonly JsonObject[],
  of: string,
  key: string,
  field: string,
  way: readonly string[],
): void {
  const fresh = (): Fields => ({ ...makeObject(draw, of, way), [key]: makeKey(draw, of, key) });
  if (draw.oneIn(12)) {
    const items: Json[] = Array.from({ length: draw.upTo(2) }, fresh);
    items.splice(draw.upTo(items.length), 0, { $patch: 'replace' });
    patch[field] = items;
    return;
  }
  const ids = [...new Set(base.map((item) => item[key]!))];
  const items: Fields[] = draw.some(ids, way.length > 0 ? ids.length : 2).map((id) =>
    draw.oneIn(8)
      ? { $patch: 'delete', [key]: id }
      : {
          ...makePatch(
            draw,
            base.find((item) => item[key] === id)!,
            of,
            way,
          ),
          [key]: id,
        },
  );
  for (const item of items) if (Array.isArray(item['$retainKeys'])) item['$retainKeys'].push(key);
  const all = draw.shuffled([...items, ...Array.from({ length: draw.upTo(1) }, fresh)]);
  if (!draw.oneIn(6)) {
    patch[field] = all;
    return;
  }
  const kept = all.filter((item) => item['$patch'] === undefined).map((item) => item[key]!);
  const order = draw.shuffled([...new Set([...draw.some(ids, 2), ...kept])]);
  if (order.length > 0) patch[`$setElementOrder/${field}`] = order.map((id) => ({ [key]: id }));
  if (draw.oneIn(3)) return;
  const place = (item: Fields) => order.indexOf(item[key]!);
  const once = all.filter((item, at) => all.findIndex((other) => other[key] === item[key]) === at);
  patch[field] = once.sort((a, b) => place(a) - place(b));
}

/** Where nothing is there to remove, `null` says nothing. */
function withNulls(draw: Draw, value: Json): Json {
  return isJsonObject(value) && draw.oneIn(6) ? { ...value, [Object.keys(value)[0] ?? 'name']: null } : value;
}

function isEmpty(value: Json): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
