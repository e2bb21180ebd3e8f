import { fieldSchema } from '../../lib/pods/pod-schema.ts';
import type { PodTemplate } from '../../lib/pods/template.ts';
import { unionMembers } from '../../lib/pods/unions.ts';
import type { Json } from '../../lib/values/json.ts';
import type { Draw } from './draw.ts';
import { allFields, fieldsOf, fieldType } from './field-types.ts';
import { makeObject } from './make-template.ts';

const ways = allFields().map(({ way }) => way);

/** A template in which no list has two items of one key and of every union the same member is set: one that a person may write. */
export function tidyTemplate(draw: Draw): PodTemplate {
  return tidy(makeObject(draw, 'PodTemplateSpec', draw.pick(ways)), 'PodTemplateSpec') as PodTemplate;
}

function tidy(value: Record<string, Json>, type: string): Record<string, Json> {
  const [, ...others] = unionMembers(type) ?? [];
  const result: Record<string, Json> = {};
  for (const [field, inner] of Object.entries(value))
    if (!others.includes(field)) result[field] = tidyField(type, field, inner);
  return result;
}

function tidyField(type: string, field: string, value: Json): Json {
  const { of, in: place } = fieldType(type, field);
  const list = fieldSchema(type, field)?.list;
  if (place === 'value') return fieldsOf(of) === undefined ? value : tidy(value as Record<string, Json>, of);
  if (place === 'map') return value;
  const items = value as readonly Json[];
  if (fieldsOf(of) === undefined) return list === 'set' ? [...new Set(items)] : items;
  const tidied = items.map((item) => tidy(item as Record<string, Json>, of));
  if (typeof list !== 'object') return tidied;
  const { key } = list;
  return tidied.filter((item, place) => tidied.findIndex((other) => other[key] === item[key]) === place);
}

const keys = ['name', 'containerPort', 'mountPath', 'devicePath', 'ip', 'uid', 'topologyKey'];

/** Whether some list of a patch has two items of one key: where nothing is inherited, Kubernetes keeps both. */
export function hasTwins(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const items = Array.isArray(value) ? (value as unknown[]) : [];
  const twins = keys.some((key) => {
    const ids = items.flatMap((item) => (item as Record<string, unknown> | null)?.[key] ?? []);
    return new Set(ids).size < ids.length;
  });
  const { finalizers = [] } = value as { finalizers?: unknown };
  const twice = Array.isArray(finalizers) && new Set(finalizers).size < finalizers.length;
  return twins || twice || Object.values(value).some(hasTwins);
}

const unionTypes = ['Volume', 'PodResourceClaim', 'EnvVar', 'EnvVarSource', 'Probe', 'LifecycleHandler'];

/** Whether some part may set two members of a union at once, which every cluster refuses. Goes by the names of fields. */
export function setsTwoOfUnion(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Record<string, unknown>;
  const isSet = (field: string) => fields[field] !== undefined && fields[field] !== null;
  const two = unionTypes.some((type) => unionMembers(type)!.filter(isSet).length > 1);
  return two || Object.values(value).some(setsTwoOfUnion);
}
