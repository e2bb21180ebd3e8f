import { isJsonObject, type Json, type JsonObject } from '../values/json.ts';
import { endings } from './graph.ts';
import { statusFields } from './value-source.ts';
import type { Misfit } from './step-kinds.ts';

/** Whether parts of a parsed document are what a graph holds: anybody may have written it. */

type Check = (value: unknown) => boolean;

/** The fields of a document: what each must be, in words and as a check, and whether it may be left out. */
export type ExpectedFields = Readonly<Record<string, readonly [expected: string, check: Check, optional?: 'optional']>>;

/** The fields that are not what they must be. */
export function* misfits(document: JsonObject, fields: ExpectedFields): Generator<Misfit> {
  for (const [field, [expected, check, optional]] of Object.entries(fields)) {
    const value = Object.hasOwn(document, field) ? document[field] : undefined;
    if (!(value === undefined && optional) && !check(value)) yield { field, expected };
  }
}

export const isString: Check = (value) => typeof value === 'string';
export const isNumber: Check = (value) => typeof value === 'number';
export const isBoolean: Check = (value) => typeof value === 'boolean';
export const isStrings: Check = (value) => Array.isArray(value) && value.every(isString);
export const isObjectSchema: Check = (value) =>
  isJsonObject(value) &&
  isJsonObject(value.properties) &&
  Object.values(value.properties).every(isJsonObject) &&
  isStrings(value.required);
export const isCondition: Check = (value) =>
  isJsonObject(value) &&
  typeof value.cel === 'string' &&
  isStrings(value.steps) &&
  (value.statuses === undefined || isStrings(value.statuses)) &&
  (value.values === undefined || (Array.isArray(value.values) && value.values.every(isConditionValue)));
const isConditionValue: Check = (value) =>
  isJsonObject(value) && isStrings(value.at) && isSource(value.source) && isJsonObject(value.schema);
export const isPodSource: Check = (value) => isJsonObject(value) && 'fields' in value && isSource(value);
export const isJobSource: Check = (value) =>
  isObjectSource(value) &&
  (isJsonObject(value.fields)
    ? partsOf(value.fields).every(isObjectSource)
    : partsOf(value.value as JsonObject).every(isJsonObject));
export const isSources: Check = (value) => isJsonObject(value) && Object.values(value).every(isSource);

/** Whether a value is exactly one of these. */
export const isOneOf =
  (...values: readonly Json[]): Check =>
  (value) =>
    (values as readonly unknown[]).includes(value);

export function isEndCondition(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  if ('step' in value) return typeof value.step === 'string' && isOneOf(...endings)(value.ended);
  if ('not' in value) return isEndCondition(value.not);
  const parts = 'all' in value ? value.all : value.any;
  return Array.isArray(parts) && parts.every(isEndCondition);
}

export function isSource(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  if ('value' in value) return true;
  if ('input' in value) return typeof value.input === 'string';
  if ('step' in value) return typeof value.step === 'string' && typeof value.output === 'string';
  if ('status' in value) return typeof value.status === 'string' && isOneOf(...statusFields)(value.field);
  if ('item' in value) return typeof value.item === 'string';
  if ('list' in value) return Array.isArray(value.list) && value.list.every(isSource);
  if ('first' in value) return Array.isArray(value.first) && value.first.every(isSource);
  if ('if' in value) return isCondition(value.if) && isSource(value.then);
  if ('text' in value) return isSource(value.text);
  return 'fields' in value && isSources(value.fields);
}

/** Whether a value is an object, whatever is in it. */
function isObjectSource(value: unknown): value is JsonObject {
  return isSource(value) && ('fields' in (value as JsonObject) || isJsonObject((value as JsonObject).value));
}

function partsOf({ metadata, spec }: JsonObject): readonly unknown[] {
  return [metadata, spec].filter((part) => part !== undefined);
}
