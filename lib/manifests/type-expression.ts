/** What a value of a scalar type must look like; scalars.ts says what is wrong with one that does not. */
export const SCALARS = [
  'any',
  'string',
  'bool',
  'int32',
  'int64',
  'double',
  'bytes',
  'quantity',
  'intOrString',
  'time',
  'microTime',
] as const;
export type Scalar = (typeof SCALARS)[number];

/** What a field holds. */
export type FieldType =
  | { readonly is: 'scalar'; readonly scalar: Scalar }
  /** A list; `key` is the field by which Kubernetes tells its items apart. */
  | { readonly is: 'list'; readonly of: FieldType; readonly key?: string }
  | { readonly is: 'map'; readonly of: FieldType }
  /** An object with the fields of the named type. */
  | { readonly is: 'struct'; readonly name: string };

const scalars = new Map<string, FieldType>(SCALARS.map((scalar) => [scalar, { is: 'scalar', scalar }]));

/** Reads a type of kinds.gen.json: `string`, `Probe`, `[string]`, `[EnvVar/name]` (a list by key), `{quantity}` (a map). */
export function parseType(text: string): FieldType {
  if (text.startsWith('{')) return { is: 'map', of: parseType(text.slice(1, -1)) };
  if (!text.startsWith('[')) return scalars.get(text) ?? { is: 'struct', name: text };
  const [, item, key] = /^\[(.*?)(?:\/(\w+))?\]$/.exec(text)!;
  return { is: 'list', of: parseType(item!), ...(key !== undefined && { key }) };
}
