import type { IndexedMapStep, MapStep } from '../graph/graph.ts';
import { MAX_ITEMS } from '../graph/items.ts';
import { encodeValue } from '../values/environment.ts';
import type { Json, JsonObject } from '../values/json.ts';
import { show } from '../values/problems.ts';
import type { MapItems } from './item-slots.ts';
import { resolve, type Scope } from './resolve.ts';

/** The lists that a map step goes over, by input. */
export function itemLists({ over }: Pick<MapStep, 'over'>, scope: Scope): Readonly<Record<string, Json | undefined>> {
  return Object.fromEntries(over.map(({ input, list }) => [input, resolve(list, scope)]));
}

/** Lists that can be gone over, by input. */
export type Lists = Readonly<Record<string, readonly Json[]>>;

/** The lists of a step and how many items they have, or why it cannot go over them. */
export function itemsOf(
  node: MapStep | IndexedMapStep,
  scope: Scope,
): { readonly lists: Lists; readonly count: number } | { readonly problem: string } {
  const lists = itemLists(node, scope);
  const wrong = Object.entries(lists).find(([, list]) => !Array.isArray(list));
  if (wrong !== undefined) return { problem: `${wrong[0]} must be a list, not ${show(wrong[1])}` };
  const count = countItems(Object.values(lists as Lists));
  if (count > MAX_ITEMS) return { problem: `it would have ${count} items; ${MAX_ITEMS} fit` };
  return { lists: lists as Lists, count };
}

/** The size of the values of all items as text, in bytes. */
export function itemBytes(lists: Lists): number {
  const all = Object.values(lists);
  const count = countItems(all);
  const sizes = all.map((list) => list.reduce((sum: number, value) => sum + Buffer.byteLength(encodeValue(value)), 0));
  return all.reduce((sum, { length }, index) => sum + (length === 0 ? 0 : (sizes[index]! * count) / length), 0);
}

/** How many items lists have: each value of one with each of the others. */
function countItems(lists: readonly (readonly unknown[])[]): number {
  return lists.reduce((count, { length }) => count * length, 1);
}

/** The values of one item by input: of several lists the last one goes round fastest. */
export function itemValues(lists: Lists, item: number): JsonObject {
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
