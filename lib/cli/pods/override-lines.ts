import { fieldSchema, POD_TEMPLATE, type FieldSchema } from '../../pods/pod-schema.ts';
import { isJsonObject, type Json, type JsonObject } from '../../values/json.ts';

/** An override as the `--set` options that would make it, a line each: `train.spec.nodeSelector.gpu=a100`. */
export function overrideLines(override: JsonObject): string[] {
  return Object.entries(override).flatMap(([step, template]) => linesOf(step, template, { type: POD_TEMPLATE }));
}

function linesOf(path: string, value: Json, schema: FieldSchema | undefined): string[] {
  if (isJsonObject(value) && Object.keys(value).length > 0)
    return Object.entries(value).flatMap(([field, inner]) =>
      linesOf(`${path}${/[.[\]=/]/.test(field) ? `[${field}]` : `.${field}`}`, inner, fieldSchema(schema?.type, field)),
    );
  const key = typeof schema?.list === 'object' ? schema.list.key : undefined;
  if (key !== undefined && Array.isArray(value) && value.every((item) => isJsonObject(item) && item[key] !== undefined))
    return (value as JsonObject[]).flatMap(({ [key]: id, ...item }) =>
      itemLines(`${path}[${String(id)}]`, item, schema),
    );
  return [`${path}=${typeof value === 'string' ? value : JSON.stringify(value)}`];
}

function itemLines(path: string, item: JsonObject, schema: FieldSchema | undefined): string[] {
  if (item.$patch === 'delete') return [`${path}=null`];
  return linesOf(path, item, { ...(schema?.type !== undefined && { type: schema.type }) });
}
