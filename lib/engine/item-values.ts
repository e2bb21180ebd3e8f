import type { MapStep } from '../graph/graph.ts';
import type { Json, JsonObject } from '../values/json.ts';
import type { MapItems } from './item-slots.ts';
import { resolve, type Scope } from './resolve.ts';

/** The lists that a map step goes over, by input. */
export function itemLists({ over }: MapStep, scope: Scope): Readonly<Record<string, Json | undefined>> {
  return Object.fromEntries(over.map(({ input, list }) => [input, resolve(list, scope)]));
}

/** How many items lists have: each value of one with each of the others. */
export function countItems(lists: readonly (readonly unknown[])[]): number {
  return lists.reduce((count, { length }) => count * length, 1);
}

/** The values of one item by input: of several lists the last one goes round fastest. */
export function itemValues(lists: Readonly<Record<string, readonly Json[]>>, item: number): JsonObject {
  const values: [string, Json][] = [];
  let rest = item;
  for (const [input, list] of Object.entries(lists).reverse()) {
    values.push([input, list[rest % list.length]!]);
    rest = Math.floor(rest / list.length);
  }
  return Object.fromEntries(values.reverse());
}

/** The outputs of a map's items, each as a list in the order of the items; `null` for those without. */
export function itemOutputs({ outputs }: MapStep, items: MapItems | undefined): JsonObject {
  const records = items?.records ?? [];
  return Object.fromEntries(
    Object.keys(outputs?.properties ?? {}).map((output) => [
      output,
      records.map((record) => record?.outputs?.[output] ?? null),
    ]),
  );
}
