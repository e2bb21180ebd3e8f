import type { ValueSource } from '../graph/graph.ts';
import type { Json, JsonObject } from '../values/json.ts';

/** The values that sources refer to. */
export interface Scope {
  readonly inputs: JsonObject;
  /** The outputs of a step that succeeded; nothing for any other. */
  outputs(step: string): JsonObject | undefined;
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
 * an output of a step that did not succeed. Within a list or an object, only the item that has no value is left out.
 */
export function resolve(source: ValueSource, scope: Scope): Json | undefined {
  if ('value' in source) return source.value;
  if ('input' in source) return own(scope.inputs, source.input);
  if ('list' in source) return source.list.map((item) => resolve(item, scope)).filter((item) => item !== undefined);
  if ('fields' in source) return resolveAll(source.fields, scope);
  const output = own(scope.outputs(source.step), source.output);
  return output === undefined ? source.default : output;
}

function own(values: JsonObject | undefined, name: string): Json | undefined {
  return values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined;
}
