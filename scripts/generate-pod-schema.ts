/**
 * Writes lib/pods/pod-schema.gen.json: the fields of a pod template with the merge key and patch strategy of each,
 * taken from Kubernetes' own OpenAPI document in the k8s.io/kubernetes Go module.
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
  readonly $ref?: string;
  readonly items?: Property;
  readonly additionalProperties?: Property;
  readonly 'x-kubernetes-patch-strategy'?: string;
  readonly 'x-kubernetes-patch-merge-key'?: string;
}

const [version, module] = process.argv.slice(2);
if (version === undefined || module === undefined)
  throw new Error('usage: generate-pod-schema.ts <version> <directory of the module>');
const { definitions } = JSON.parse(readFileSync(join(module, 'api/openapi-spec/swagger.json'), 'utf8')) as {
  definitions: Record<string, { properties?: Record<string, Property> }>;
};

const typeName = (reference: string) => reference.split('.').at(-1)!;
const types: Record<string, Record<string, FieldSchema>> = {};

function visit(reference: string): void {
  const name = typeName(reference);
  const properties = definitions[reference.replace('#/definitions/', '')]?.properties;
  if (types[name] !== undefined || properties === undefined) return;
  const fields: Record<string, FieldSchema> = (types[name] = {});
  for (const [field, property] of Object.entries(properties).sort()) {
    const inner = property.$ref ?? property.items?.$ref ?? property.additionalProperties?.$ref;
    const mergeKey = property['x-kubernetes-patch-merge-key'];
    const strategies = property['x-kubernetes-patch-strategy']?.split(',') ?? [];
    const isStruct = inner !== undefined && definitions[inner.replace('#/definitions/', '')]?.properties !== undefined;
    fields[field] = {
      ...(isStruct && { type: typeName(inner) }),
      ...(property.type === 'array' && {
        list: !strategies.includes('merge') ? 'atomic' : mergeKey === undefined ? 'set' : { key: mergeKey },
      }),
    };
    if (isStruct) visit(inner);
  }
}

visit('#/definitions/io.k8s.api.core.v1.PodTemplateSpec');
const target = join(import.meta.dirname, '../lib/pods/pod-schema.gen.json');
writeFileSync(target, `${JSON.stringify({ kubernetes: version, types })}\n`);
console.log(`${target}: ${Object.keys(types).length} types of Kubernetes ${version}`);
