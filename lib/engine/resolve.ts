import type { ValueCondition, ValueSource } from '../graph/value-source.ts';
import type { StepStatus } from './scope.ts';
import { encodeValue, escapeExpansion } from '../values/environment.ts';
import type { Json, JsonObject } from '../values/json.ts';

/** The values that sources refer to. */
export interface Scope {
  readonly inputs: JsonObject;
  /** The outputs of a step that succeeded; nothing for any other. */
  outputs(step: string): JsonObject | undefined;
  /** Whether an output is not there because steps did not run; not when a task left it out. */
  lacks(step: string, output: string): boolean;
  /** The values that an item of a map has of its lists, by input. */
  readonly item?: JsonObject;
  /** How a step ended. */
  status(step: string): StepStatus | undefined;
  /** Whether a condition is true; not if what it reads is not there. */
  holds(condition: ValueCondition): boolean;
}

/** The values of named sources; names without a value are left out. */
export function resolveAll(sources: Readonly<Record<string, ValueSource>>, scope: Scope): JsonObject {
  const values: [string, Json][] = [];
  for (const [name, source] of Object.entries(sources)) {
    const value = resolve(source, scope);
    if (value !== undefined) values.push([name, value]);
  }
  return Object.fromEntries(values);
}

/**
 * The value of a source, or nothing: an optional input that was not given, an optional output that was not written,
 * an output of a step that did not succeed, a value whose condition is not true. Within a list or an object, only the item that has no value is left out.
 */
export function resolve(source: ValueSource, scope: Scope): Json | undefined {
  if ('value' in source) return source.value;
  if ('input' in source) {
    const input = own(scope.inputs, source.input);
    return input === undefined ? source.default : input;
  }
  if ('item' in source) return scope.item?.[source.item];
  if ('status' in source) return scope.status(source.status)?.[source.field];
  if ('list' in source) return source.list.map((item) => resolve(item, scope)).filter((item) => item !== undefined);
  if ('fields' in source) return resolveAll(source.fields, scope);
  if ('first' in source) return firstOf(source, scope);
  if ('if' in source) return scope.holds(source.if) ? resolve(source.then, scope) : undefined;
  if ('text' in source) {
    const value = resolve(source.text, scope);
    if (value === undefined || value === null) return value;
    return source.literal ? escapeExpansion(encodeValue(value)) : encodeValue(value);
  }
  const output = own(scope.outputs(source.step), source.output);
  return output === undefined ? source.default : output;
}

function firstOf(source: Extract<ValueSource, { readonly first: unknown }>, scope: Scope): Json | undefined {
  for (const part of source.first) {
    const value = resolve(part, scope);
    if (value !== undefined) return value;
  }
  return source.default;
}

function own(values: JsonObject | undefined, name: string): Json | undefined {
  return values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined;
}
