import type { ValueCondition, ValueSource } from '../lib/graph/value-source.ts';
import { Hole } from '../lib/pods/holes.ts';
import type { Condition } from '../lib/values/condition.ts';
import type { Problem } from '../lib/values/problems.ts';
import { Reference, type AnyReference, type BranchValue } from '../lib/values/reference.ts';
import { Task } from './task.ts';

/** @internal Where a given value comes from. A reference to another workflow is reported elsewhere and stands for nothing here. */
export function toSource(value: unknown, owner: object): ValueSource {
  if (value instanceof Reference) {
    const { origin, fallback } = value as AnyReference;
    if (value.owner !== owner) return { value: null };
    const source = 'branch' in origin ? branchSource(origin, owner) : origin;
    return fallback === undefined || 'status' in origin || 'item' in origin ? source : { ...source, default: fallback };
  }
  if (value instanceof Hole) return holeSource(value, owner);
  if (!containsReference(value)) return { value: value as never };
  if (Array.isArray(value)) return { list: value.map((item) => toSource(item, owner)) };
  return {
    fields: Object.fromEntries(Object.entries(value as object).map(([name, inner]) => [name, toSource(inner, owner)])),
  };
}

function holeSource({ values, form, held }: Hole, owner: object): ValueSource {
  const sources = values.map((value) => toSource(value, owner));
  const first = held ? [...sources, { value: null }] : sources;
  const source = first.length === 1 ? first[0]! : { first };
  if (form === 'value') return source;
  return { text: source, ...(form === 'literal text' && { literal: true }) };
}

function branchSource({ arms }: BranchValue, owner: object) {
  const first = arms.map(({ given, condition }): ValueSource => {
    const then = toSource(given, owner);
    return condition === undefined ? then : { if: toValueCondition(condition, owner), then };
  });
  return { first };
}

/** @internal Every reference in a given value. */
export function* references(value: unknown): Generator<AnyReference> {
  if (value instanceof Reference) yield value;
  else if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(value)) yield* references(inner);
}

/** @internal */
export function containsReference(value: unknown): boolean {
  return references(value).next().done !== true;
}

/** @internal A condition as the graph carries it. */
export function toValueCondition({ cel, references: read }: Condition<unknown>, owner: object): ValueCondition {
  const isPlain = ({ origin, fallback }: AnyReference) =>
    'status' in origin || (fallback === undefined && !('branch' in origin));
  const plain = read.filter(isPlain).map(({ origin }) => origin);
  const steps = new Set(plain.flatMap((origin) => ('step' in origin ? [origin.step] : [])));
  const statuses = new Set(plain.flatMap((origin) => ('status' in origin ? [origin.status] : [])));
  const others = new Map(read.filter((reference) => !isPlain(reference)).map((one) => [one.expression, one]));
  const values = [...others.values()].map((reference) => ({
    at: reference.path,
    source: toSource(reference, owner),
    schema: reference.schema,
  }));
  return {
    cel,
    steps: [...steps],
    ...(statuses.size > 0 && { statuses: [...statuses] }),
    ...(values.length > 0 && { values }),
  };
}

/** @internal What is wrong with a reference to a value of something else than `owner`. */
export function* foreignProblem({ owner: found, expression }: AnyReference, owner: object, path: string) {
  if (found !== owner)
    yield {
      path,
      message: `${expression} belongs to another ${found instanceof Task ? 'task' : 'workflow'}`,
      fix: 'pass it in as an input of this workflow',
    } satisfies Problem;
}
