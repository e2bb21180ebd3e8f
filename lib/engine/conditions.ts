import type { ValueCondition } from '../graph/value-source.ts';
import type { Topology } from '../graph/topology.ts';
import { loadCel } from '../values/cel.ts';
import { isJsonObject, type Json, type JsonObject } from '../values/json.ts';
import type { JsonSchema, ObjectSchema } from '../values/schema.ts';
import { show } from '../values/problems.ts';
import { resolve, type Scope } from './resolve.ts';
import type { StepStatus } from './scope.ts';

/** What a condition came to, or why it came to nothing. */
export type ConditionResult = { readonly holds: boolean } | { readonly error: string };

/** Evaluates a condition. What it reads of steps that gave no outputs is not there, and reading it is an error. */
export function evaluateCondition(
  condition: ValueCondition,
  { graph, byName }: Pick<Topology, 'graph' | 'byName'>,
  scope: Scope,
): ConditionResult {
  const names = new Set([...condition.steps, ...(condition.statuses ?? [])]);
  const steps = [...names].map((name) => {
    const outputs = scope.outputs(name);
    const status = typedStatus(scope.status(name));
    return [name, { ...(outputs && { outputs: typed(byName.get(name)?.node.outputs, outputs) }), status }] as const;
  });
  try {
    const context = { inputs: typed(graph.inputs, scope.inputs), steps: Object.fromEntries(steps) };
    for (const { at, schema, source } of condition.values ?? []) {
      const value = resolve(source, scope);
      // What is not there must not be found either: another value may have its name.
      put(context, at, value === undefined ? undefined : typedValue(schema, value));
    }
    const holds: unknown = program(condition)(context);
    if (typeof holds === 'boolean') return { holds };
    return { error: `the condition ${quote(condition)} is ${describe(holds)}, not true or false` };
  } catch (cause) {
    return { error: `the condition ${quote(condition)} failed: ${firstLine(cause)}` };
  }
}

function put(context: Record<string, unknown>, [name, ...rest]: readonly string[], value: unknown): void {
  if (name === undefined) return;
  const inner = Object.hasOwn(context, name) && isJsonObject(context[name]) ? context[name] : {};
  if (rest.length === 0 && value === undefined) delete context[name];
  else context[name] = rest.length === 0 ? value : inner;
  put(inner as Record<string, unknown>, rest, value);
}

const quote = ({ cel }: ValueCondition) => JSON.stringify(cel);
const describe = (value: unknown) => (typeof value === 'bigint' ? String(value) : show(value));
const firstLine = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)).split('\n', 1)[0]!;

type Program = (context: Record<string, unknown>) => unknown;

const programs = new WeakMap<ValueCondition, Program>();

function program(condition: ValueCondition): Program {
  let found = programs.get(condition);
  if (found === undefined) {
    found = loadCel().parse(condition.cel) as Program;
    programs.set(condition, found);
  }
  return found;
}

/**
 * Values with CEL's types: JSON has one kind of number, CEL has two that do not mix, so that `rows + 1` on
 * a plain JavaScript number fails. What the schema calls an integer becomes CEL's `int`.
 */
function typed(schema: ObjectSchema | undefined, values: JsonObject): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, typedValue(schema?.properties[name], value)]),
  );
}

function typedStatus(status: StepStatus | undefined): Record<string, unknown> {
  return { ...status, attempt: BigInt(status?.attempt ?? 0) };
}

function typedValue(schema: Json | undefined, value: Json): unknown {
  if (!isJsonObject(schema)) return value;
  if (typeof value === 'number') return isInteger(schema) && Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((item: Json) => typedValue(schema.items, item));
  if (!isJsonObject(value)) return value;
  const properties = isJsonObject(schema.properties) ? schema.properties : {};
  const other: JsonSchema | undefined = isJsonObject(schema.additionalProperties)
    ? schema.additionalProperties
    : undefined;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      typedValue(Object.hasOwn(properties, name) ? properties[name] : other, inner),
    ]),
  );
}

function isInteger(schema: Json | undefined): boolean {
  if (!isJsonObject(schema)) return false;
  return schema.type === 'integer' || (Array.isArray(schema.anyOf) && schema.anyOf.some(isInteger));
}
