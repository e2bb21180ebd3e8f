import { createRequire } from 'node:module';
import type * as Cel from '@marcbachmann/cel-js';
import type { Graph, ValueCondition } from '../graph/graph.ts';
import { isJsonObject, type Json, type JsonObject } from '../values/json.ts';
import type { JsonSchema, ObjectSchema } from '../values/schema.ts';
import { show } from '../values/problems.ts';
import type { Scope } from './resolve.ts';
import type { StepStatus } from './scope.ts';

/** What a condition came to, or why it came to nothing. */
export type ConditionResult = { readonly holds: boolean } | { readonly error: string };

/** Evaluates a step's condition; the outputs it reads must be there. */
export function evaluateCondition(
  condition: ValueCondition,
  graph: Graph,
  outputsOf: ReadonlyMap<string, ObjectSchema | undefined>,
  scope: Scope,
): ConditionResult {
  const names = new Set([...condition.steps, ...(condition.statuses ?? [])]);
  const steps = [...names].map((name) => [
    name,
    { outputs: typed(outputsOf.get(name), scope.outputs(name) ?? {}), status: typedStatus(scope.status(name)) },
  ]);
  try {
    const holds: unknown = program(condition)({
      inputs: typed(graph.inputs, scope.inputs),
      steps: Object.fromEntries(steps),
    });
    if (typeof holds === 'boolean') return { holds };
    return { error: `the condition ${quote(condition)} is ${describe(holds)}, not true or false` };
  } catch (cause) {
    return { error: `the condition ${quote(condition)} failed: ${firstLine(cause)}` };
  }
}

const quote = ({ cel }: ValueCondition) => JSON.stringify(cel);
const describe = (value: unknown) => (typeof value === 'bigint' ? String(value) : show(value));
const firstLine = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)).split('\n', 1)[0]!;

type Program = (context: Record<string, unknown>) => unknown;

const programs = new WeakMap<ValueCondition, Program>();

// Most graphs have no conditions, so CEL is loaded by the first one. Only a synchronous load keeps `advance` synchronous.
function program(condition: ValueCondition): Program {
  let found = programs.get(condition);
  if (found === undefined) {
    const { parse } = createRequire(import.meta.url)('@marcbachmann/cel-js') as typeof Cel;
    found = parse(condition.cel) as Program;
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
