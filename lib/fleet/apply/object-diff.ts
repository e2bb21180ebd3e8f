import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../kube/objects.ts';
import { annotations } from '../../graph/labels.ts';
import { nextOf, plannedVersion, previousOf } from '../held-plan.ts';
import { isJsonObject, type Json } from '../../values/json.ts';

/** A field that two objects do not have alike. */
export interface FieldDifference {
  /** Such as `spec.template.spec.containers[main].image`. */
  readonly path: string;
  /** Left out when only the second has it. */
  readonly before?: Json;
  /** Left out when only the first has it. */
  readonly after?: Json;
}

/** What the API server sets, and what every write changes. */
const NOT_COMPARED = ['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp', 'selfLink'];

/** The fields of two objects that differ, as far as people decide about them. Items of lists are told apart by their name. */
export function objectDifferences(before: KubeObject | undefined, after: KubeObject): readonly FieldDifference[] {
  return [...differences(compared(unfolded(before, after)), compared(unfolded(after, before)), '')];
}

/** Annotations that hold another manifest of the plan. */
const MANIFESTS = [
  [annotations.next, nextOf],
  [annotations.previous, previousOf],
] as const;

/** An object with the manifests in it field by field, where the other has such a one too, else with the versions that these are of. */
function unfolded(object: KubeObject | undefined, other: KubeObject | undefined): KubeObject | undefined {
  if (object?.metadata.annotations === undefined) return object;
  const given: Record<string, unknown> = { ...object.metadata.annotations };
  for (const [annotation, read] of MANIFESTS) {
    const manifest = read(object);
    if (manifest === undefined) continue;
    given[annotation] =
      other && read(other) !== undefined ? compared(manifest) : `a plan of version ${plannedVersion(manifest)}`;
  }
  return { ...object, metadata: { ...object.metadata, annotations: given as Record<string, string> } };
}

function compared(object: KubeObject | undefined): Json {
  if (object === undefined) return {};
  const { status: _, apiVersion: _version, kind: _kind, metadata, ...rest } = object;
  const kept = Object.entries(metadata).filter(([name]) => !NOT_COMPARED.includes(name));
  const { name: _name, namespace: _namespace, ...given } = Object.fromEntries(kept);
  return { metadata: given, ...rest } as Json;
}

function* differences(before: Json | undefined, after: Json | undefined, path: string): Generator<FieldDifference> {
  if (isDeepStrictEqual(before, after)) return;
  const [left, right] = [fieldsOf(before), fieldsOf(after)];
  const some = (fields: ReadonlyMap<string, Json> | undefined) => fields !== undefined && fields.size > 0;
  const apart = (left === undefined && before !== undefined) || (right === undefined && after !== undefined);
  if (apart || !(some(left) || some(right))) {
    yield { path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) };
    return;
  }
  for (const name of new Set([...(left?.keys() ?? []), ...(right?.keys() ?? [])]))
    yield* differences(left?.get(name), right?.get(name), path === '' ? name.slice(1) : `${path}${name}`);
}

/** What is in a map or in a list of named items, by how its path goes on; nothing for other values. */
function fieldsOf(value: Json | undefined): ReadonlyMap<string, Json> | undefined {
  if (isJsonObject(value)) return new Map(Object.entries(value).map(([name, inner]) => [keyOf(name), inner]));
  if (!Array.isArray(value)) return undefined;
  const items = value as readonly Json[];
  const named = items.map((item) => (isJsonObject(item) && typeof item.name === 'string' ? item.name : undefined));
  if (named.includes(undefined) || new Set(named).size < named.length) return undefined;
  return new Map(items.map((item, index) => [`[${named[index]}]`, item]));
}

function keyOf(name: string): string {
  return /[./]/.test(name) ? `[${name}]` : `.${name}`;
}
