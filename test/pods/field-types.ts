import generated from './pod-types.gen.json' with { type: 'json' };

const types = generated.types as Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The type of a field's value, taken apart. */
export interface FieldType {
  /** `string`, `int32`, `Quantity`, `Container`, ... of the value, or of the items or values in it. */
  readonly of: string;
  readonly in: 'value' | 'list' | 'map';
}

/** A field of a type, and how to get to the type: the fields from the pod template down. */
export interface FieldPath {
  readonly type: string;
  readonly field: string;
  readonly way: readonly string[];
}

/** The fields of a type with the types of their values; nothing for a type that is a plain value. */
export function fieldsOf(type: string): readonly string[] | undefined {
  return types[type] && Object.keys(types[type]);
}

export function fieldType(type: string, field: string): FieldType {
  const text = types[type]![field]!;
  if (text.endsWith('[]')) return { of: text.slice(0, -2), in: 'list' };
  if (text.endsWith('{}')) return { of: text.slice(0, -2), in: 'map' };
  return { of: text, in: 'value' };
}

/** Every field of every type that a pod template is made of, by one of the shortest ways. */
export function allFields(root = 'PodTemplateSpec'): readonly FieldPath[] {
  const found: FieldPath[] = [];
  const seen = new Set([root]);
  const queue: { type: string; way: readonly string[] }[] = [{ type: root, way: [] }];
  for (const { type, way } of queue)
    for (const field of fieldsOf(type)!) {
      found.push({ type, field, way: [...way, field] });
      const { of } = fieldType(type, field);
      if (fieldsOf(of) === undefined || seen.has(of)) continue;
      seen.add(of);
      queue.push({ type: of, way: [...way, field] });
    }
  return found;
}

/** The `<type>.<field>`s that a template or patch sets. */
export function fieldsIn(value: unknown, type = 'PodTemplateSpec', into = new Set<string>()): Set<string> {
  for (const [field, inner] of Object.entries(value as object)) {
    if (types[type]?.[field] === undefined) continue;
    into.add(`${type}.${field}`);
    const { of, in: place } = fieldType(type, field);
    if (fieldsOf(of) === undefined || typeof inner !== 'object' || inner === null) continue;
    if (place === 'list') for (const item of inner as unknown[]) fieldsIn(item, of, into);
    else if (place === 'value') fieldsIn(inner, of, into);
  }
  return into;
}
