import { fieldSchema } from '../../lib/pods/pod-schema.ts';
import type { Json } from '../../lib/values/json.ts';
import type { Draw } from './draw.ts';
import { fieldsOf, fieldType } from './field-types.ts';

/** How many fields of a type are set beside those that are asked for. */
const FIELDS = 1.5;

/** An object of a type, by drawing, that has the field at the end of `way`. */
export function makeObject(draw: Draw, type: string, way: readonly string[] = []): Record<string, Json> {
  const fields = fieldsOf(type)!;
  const chosen = draw.some(fields, FIELDS);
  const wanted = way[0] !== undefined && fields.includes(way[0]) && !chosen.includes(way[0]) ? [way[0]] : [];
  return Object.fromEntries(
    [...chosen, ...wanted].map((field) => [field, makeField(draw, type, field, field === way[0] ? way.slice(1) : [])]),
  );
}

/** A value for a field. */
export function makeField(draw: Draw, type: string, field: string, way: readonly string[] = []): Json {
  const { of, in: place } = fieldType(type, field);
  const one = (rest: readonly string[]): Json => makeValue(draw, of, rest);
  if (place === 'value') return one(way);
  if (place === 'map')
    return Object.fromEntries(draw.some(['k', 'l', 'x.io/m'], 2).map((name) => [name, one([])] as const));
  const list = fieldSchema(type, field)?.list;
  const count = (way.length > 0 ? 1 : 0) + draw.upTo(2);
  const rest = (place: number) => (place === 0 ? way : []);
  if (typeof list !== 'object') return Array.from({ length: count }, (_, place) => one(rest(place)));
  const { key } = list;
  return Array.from({ length: count }, (_, place) => ({
    ...makeObject(draw, of, rest(place)),
    [key]: makeKey(draw, of, key),
  }));
}

/** A value of the key of a keyed list. There are few, so that they meet. */
export function makeKey(draw: Draw, type: string, key: string): Json {
  return fieldType(type, key).of === 'string' ? draw.pick(['a', 'b', 'c', 'd', 'e']) : draw.pick([1, 2, 3, 4]);
}

function makeValue(draw: Draw, type: string, way: readonly string[]): Json {
  if (fieldsOf(type) !== undefined) return makeObject(draw, type, way);
  switch (type) {
    case 'string':
      return draw.pick(['a', 'b', 'c', '']);
    case 'boolean':
      return draw.pick([false, true]);
    case 'int32':
    case 'int64':
      return draw.upTo(4);
    case 'Quantity':
      return draw.pick(['1', '500m', '1Gi', '1024Mi', '2']);
    case 'IntOrString':
      return draw.pick<Json>([80, 'http', '80']);
    case 'Time':
      return draw.pick(['2024-01-01T00:00:00Z', '2025-06-01T12:30:00Z']);
    case 'FieldsV1':
      return draw.pick<Json>([{ 'f:spec': {} }, { 'f:metadata': { 'f:labels': {} } }]);
    default:
      throw new Error(`no values are known for the type ${type}`);
  }
}
