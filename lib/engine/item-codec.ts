import { MAX_ITEMS } from '../graph/items.ts';
import { isJsonObject, type Json } from '../values/json.ts';
import type { Problem } from '../values/problems.ts';
import type { StepRecord } from './record.ts';
import { plainStep, readStep, stepJson } from './step-codec.ts';

/** How many items of a map are kept under one key. Few enough to write anew when one of them has changed. */
export const ITEMS_PER_BLOCK = 100;

/** The items of a block, in order; nothing where nothing happened to one yet. */
export type ItemBlock = readonly (StepRecord | undefined)[];

/**
 * A block as text: `{ at, items }`, where `at` is the time that those of the items are counted from, in milliseconds. An
 * item is written in the short form where it can be, else in full; `null` is one that nothing happened to.
 */
export function encodeItems(block: ItemBlock): string {
  const at = Math.min(...block.flatMap((item) => item?.readyAt ?? []));
  const start = Number.isFinite(at) ? at : 0;
  return JSON.stringify({ at: start, items: block.map((item) => item && (plainStep(item, start) ?? stepJson(item))) });
}

/** The block that a text holds; what is wrong with it becomes problems. */
export function decodeItems(text: Json, path: string, problems: Problem[]): ItemBlock {
  if (!isJsonObject(text) || !Array.isArray(text.items) || !Number.isSafeInteger(text.at)) {
    problems.push({ path, message: 'must be an object with at, a whole number, and items, a list' });
    return [];
  }
  const { at, items } = text as { at: number; items: readonly Json[] };
  if (items.length > ITEMS_PER_BLOCK) problems.push({ path, message: `must have at most ${ITEMS_PER_BLOCK} items` });
  return items
    .slice(0, ITEMS_PER_BLOCK)
    .map((item, place) => (item === null ? undefined : readStep(item, at, `${path}.items[${place}]`, problems)));
}

/** The key of an item's block: `score.0` has items 0 to 99 of step score. */
export function blockKey(map: string, block: number): string {
  return `${map}.${block}`;
}

/** The map step and the block of a key; nothing when it is none. */
export function parseBlockKey(key: string): { readonly map: string; readonly block: number } | undefined {
  const [, map, block] = /^(.+)\.(0|[1-9]\d*)$/.exec(key) ?? [];
  const number = Number(block);
  return map === undefined || number >= MAX_ITEMS / ITEMS_PER_BLOCK ? undefined : { map, block: number };
}
