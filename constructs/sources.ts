import type { ValueCondition, ValueSource } from '../lib/graph/graph.ts';
import { Hole } from '../lib/pods/holes.ts';
import type { Condition } from '../lib/values/condition.ts';
import { Reference, type AnyReference } from '../lib/values/reference.ts';

/** @internal Where a given value comes from. A reference to another workflow is reported elsewhere and stands for nothing here. */
export function toSource(value: unknown, owner: object): ValueSource {
  if (value instanceof Reference) {
    const { origin, fallback } = value as AnyReference;
    if (value.owner !== owner) return { value: null };
    return fallback === undefined || 'status' in origin ? origin : { ...origin, default: fallback };
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

/** @internal Every reference in a value. */
export function* references(value: unknown): Generator<AnyReference> {
  if (value instanceof Reference) yield value;
  else if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(value)) yield* references(inner);
}

/** @internal */
export function containsReference(value: unknown): boolean {
  return references(value).next().done !== true;
}

/** @internal */
export function toValueCondition<Scope>({ cel, references }: Condition<Scope>): ValueCondition {
  const steps = new Set(references.flatMap(({ origin }) => ('step' in origin ? [origin.step] : [])));
  const statuses = new Set(references.flatMap(({ origin }) => ('status' in origin ? [origin.status] : [])));
  return { cel, steps: [...steps], ...(statuses.size > 0 && { statuses: [...statuses] }) };
}
