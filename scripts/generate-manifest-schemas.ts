/**
 * Writes lib/manifests/kinds.gen.json: every kind that is stored under a stable version, with the fields of its types,
 * taken from Kubernetes' own OpenAPI document in the k8s.io/kubernetes Go module.
 *
 *     node scripts/generate-manifest-schemas.ts $(go list -m -f '{{.Version}} {{.Dir}}' k8s.io/kubernetes)
 *
 * run in test/cluster/kubernetes, whose go.mod pins the version. What a field holds is written as a type expression;
 * lib/manifests/type-expression.ts reads it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Property {
  readonly type?: string;
  readonly format?: string;
  readonly $ref?: string;
  readonly items?: Property;
  readonly additionalProperties?: Property;
  readonly 'x-kubernetes-patch-merge-key'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

interface Definition extends Property {
  readonly properties?: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
  readonly 'x-kubernetes-group-version-kind'?: readonly { group: string; version: string; kind: string }[];
}

const [version, module] = process.argv.slice(2);
if (version === undefined || module === undefined)
  throw new Error('usage: generate-manifest-schemas.ts <version> <directory of the module>');
const { definitions, paths } = JSON.parse(readFileSync(join(module, 'api/openapi-spec/swagger.json'), 'utf8')) as {
  definitions: Readonly<Record<string, Definition>>;
  paths: Readonly<Record<string, { post?: { 'x-kubernetes-group-version-kind'?: { kind: string } } }>>;
};

// What the OpenAPI document cannot say, or says wrongly: its text form differs from its type.
const SPECIAL: Readonly<Record<string, string>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'quantity',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'intOrString',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': 'time',
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': 'microTime',
  // Said to be an object; kept as it comes. (apimachinery/pkg/runtime/extension.go, meta/v1/fields_proto.go)
  'io.k8s.apimachinery.pkg.runtime.RawExtension': 'any',
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': 'any',
};

/** Names of definitions by their last part, or by more of it where two share that: `Subject`, `Subject:rbac.v1`. */
const shortNames = new Map<string, string>();
const types: Record<string, Record<string, string>> = {};
const kinds: Record<string, Record<string, string>> = {};

function nameOf(definition: string): string {
  const known = shortNames.get(definition);
  if (known !== undefined) return known;
  const [last, ...rest] = definition.split('.').reverse() as [string, ...string[]];
  const taken = [...shortNames.values()].includes(last);
  const name = taken ? `${last}:${rest.slice(0, 2).reverse().join('.')}` : last;
  shortNames.set(definition, name);
  return name;
}

function expression(property: Property): string {
  if (property.$ref !== undefined) return reference(property.$ref.replace('#/definitions/', ''));
  if (property.type === 'array') {
    const key = property['x-kubernetes-patch-merge-key'] ?? property['x-kubernetes-list-map-keys']?.[0];
    return `[${expression(property.items!)}${key === undefined ? '' : `/${key}`}]`;
  }
  if (property.additionalProperties !== undefined) return `{${expression(property.additionalProperties)}}`;
  if (property.type === 'boolean') return 'bool';
  if (property.type === 'string') return property.format === 'byte' ? 'bytes' : 'string';
  if (property.type === 'integer' || property.type === 'number') return property.format ?? 'int64';
  throw new Error(`no expression for ${JSON.stringify(property)}`);
}

function reference(name: string): string {
  const special = SPECIAL[name];
  if (special !== undefined) return special;
  const definition = definitions[name]!;
  if (definition.type === 'object') return visit(name, definition.properties ?? {}, definition.required ?? []);
  if (definition.properties !== undefined) throw new Error(`${name} has properties and is no object`);
  // JSON, JSONSchemaPropsOrBool and the like: whatever is in them is not Kubernetes' to say.
  return 'any';
}

function visit(name: string, properties: Readonly<Record<string, Property>>, required: readonly string[]): string {
  const short = nameOf(name);
  if (types[short] !== undefined) return short;
  const fields: Record<string, string> = (types[short] = {});
  const isKind = definitions[name]!['x-kubernetes-group-version-kind']?.length === 1;
  for (const [field, property] of Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1)))
    // The API server drops the status of what is applied, so that nobody's manifest is wrong for it.
    fields[field] =
      isKind && field === 'status' ? 'any' : `${expression(property)}${required.includes(field) ? '!' : ''}`;
  return short;
}

// What can be created under a path without a `{name}` is a kind of its own; a review or a binding is a question.
const created = new Set(
  Object.entries(paths)
    .filter(([path]) => !/\{name\}/.test(path))
    .flatMap(([, { post }]) => post?.['x-kubernetes-group-version-kind']?.kind ?? []),
);
for (const [name, { properties, required, 'x-kubernetes-group-version-kind': ids = [] }] of Object.entries(definitions))
  for (const { group, version: apiVersion, kind } of ids) {
    const isReview = /^(authentication|authorization)\.k8s\.io$/.test(group) || kind === 'Binding';
    if (ids.length > 1 || isReview || !created.has(kind) || !/^v\d+$/.test(apiVersion)) continue;
    const groupVersion = group === '' ? apiVersion : `${group}/${apiVersion}`;
    (kinds[groupVersion] ??= {})[kind] = visit(name, properties!, required ?? []);
  }

const target = join(import.meta.dirname, '../lib/manifests/kinds.gen.json');
const text = `${JSON.stringify({ kubernetes: version, kinds, types })}\n`;
writeFileSync(target, text);
const count = Object.values(kinds).flatMap(Object.keys).length;
console.log(`${target}: ${count} kinds, ${Object.keys(types).length} types, ${text.length} bytes of ${version}`);
