/**
 * Writes what the merge of pod templates, and of the Jobs around them, needs of Kubernetes' own OpenAPI document in the k8s.io/kubernetes Go module:
 * lib/pods/pod-schema.gen.json, the fields of both with the merge key and patch strategy of each, and
 * test/pods/pod-types.gen.json, the type of the value of each of a pod template, from which tests make templates.
 *
 *     node scripts/generate-pod-schema.ts $(go list -m -f '{{.Version}} {{.Dir}}' k8s.io/kubernetes)
 *
 * run in test/cluster/kubernetes, whose go.mod pins the version.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FieldSchema } from '../lib/pods/pod-schema.ts';

interface Property {
  readonly type?: string;
  readonly format?: string;
  readonly $ref?: string;
  readonly items?: Property;
  readonly additionalProperties?: Property;
  readonly 'x-kubernetes-patch-strategy'?: string;
  readonly 'x-kubernetes-patch-merge-key'?: string;
}

interface Definition {
  readonly type?: string;
  readonly format?: string;
  readonly properties?: Record<string, Property>;
}

const [version, module] = process.argv.slice(2);
if (version === undefined || module === undefined)
  throw new Error('usage: generate-pod-schema.ts <version> <directory of the module>');
const { definitions } = JSON.parse(readFileSync(join(module, 'api/openapi-spec/swagger.json'), 'utf8')) as {
  definitions: Record<string, Definition>;
};

const typeName = (reference: string) => reference.split('.').at(-1)!;
const definitionOf = (reference: string) => definitions[reference.replace('#/definitions/', '')];
const types: Record<string, Record<string, FieldSchema>> = {};
const valueTypes: Record<string, Record<string, string>> = {};

function visit(reference: string): void {
  const name = typeName(reference);
  const properties = definitionOf(reference)?.properties;
  if (types[name] !== undefined || properties === undefined) return;
  const fields: Record<string, FieldSchema> = (types[name] = {});
  const values: Record<string, string> = (valueTypes[name] = {});
  for (const [field, property] of Object.entries(properties).sort()) {
    const inner = property.$ref ?? property.items?.$ref ?? property.additionalProperties?.$ref;
    const mergeKey = property['x-kubernetes-patch-merge-key'];
    const strategies = property['x-kubernetes-patch-strategy']?.split(',') ?? [];
    const isStruct = inner !== undefined && definitionOf(inner)?.properties !== undefined;
    const retainKeys = strategies.includes('retainKeys');
    fields[field] = {
      ...(isStruct && { type: typeName(inner) }),
      ...(property.type === 'array' && {
        list: !strategies.includes('merge')
          ? 'atomic'
          : mergeKey === undefined
            ? 'set'
            : { key: mergeKey, ...(retainKeys && { retainKeys }) },
      }),
      ...(property.additionalProperties !== undefined && { map: true }),
    };
    values[field] = valueType(property);
    if (isStruct) visit(inner);
  }
}

/** `int32`, `Quantity`, `Container`, with `[]` after it for a list and `{}` for a map. */
function valueType({ type, format, $ref, items, additionalProperties }: Property): string {
  if (items !== undefined) return `${valueType(items)}[]`;
  if (additionalProperties !== undefined) return `${valueType(additionalProperties)}{}`;
  return $ref === undefined ? (format ?? type!) : typeName($ref);
}

function write(path: string, content: unknown): void {
  const target = join(import.meta.dirname, '..', path);
  writeFileSync(target, `${JSON.stringify(content)}\n`);
  console.log(`${target}: ${Object.keys(types).length} types of Kubernetes ${version}`);
}

visit('#/definitions/io.k8s.api.core.v1.PodTemplateSpec');
write('test/pods/pod-types.gen.json', { kubernetes: version, types: valueTypes });
visit('#/definitions/io.k8s.api.batch.v1.JobTemplateSpec');
write('lib/pods/pod-schema.gen.json', { kubernetes: version, types });
