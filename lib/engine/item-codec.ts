import { MAX_ITEMS } from '../graph/items.ts';
import { isJsonObject, type Json, type JsonObject } from '../values/json.ts';
import type { Problem } from '../values/problems.ts';
import { readStep, stepJson } from './codec.ts';
import type { AttemptRecord, StepRecord } from './record.ts';

/** How many items of a map are kept under one key. Few enough to write anew when one of them has changed. */
export const ITEMS_PER_BLOCK = 100;

/** The items of a block, in order; nothing where nothing happened to one yet. */
export type ItemBlock = readonly (StepRecord | undefined)[];

/**
 * A block as text: `{ at, items }`, where `at` is a time that others are counted from, in milliseconds. An item that
 * succeeded at once is four numbers and its outputs, `[ready, created, started, finished, outputs]`, each time counted from
 * the one before; any other is a step's record; `null` is one that nothing happened to.
 */
export function encodeItems(block: ItemBlock): string {
  const at = Math.min(...block.flatMap((item) => item?.readyAt ?? []));
  const start = Number.isFinite(at) ? at : 0;
  return JSON.stringify({ at: start, items: block.map((item) => item && (plainItem(item, start) ?? stepJson(item))) });
}

/** What of an item that succeeded at once, in the plainest way, must be kept. */
function plainItem(item: StepRecord, at: number): Json | undefined {
  const { readyAt, finishedAt, outputs, retryAt, message, items, ...rest } = item;
  const [attempt, ...others] = rest.attempts;
  if (attempt === undefined || others.length > 0 || readyAt === undefined) return undefined;
  const { createdAt, startedAt, finishedAt: end, ...more } = attempt;
  const odd = [retryAt, message, items, more.message, more.exitCode, more.failure, more.stopping];
  if (rest.phase !== 'Succeeded' || rest.reason !== 'Completed' || odd.some((value) => value !== undefined))
    return undefined;
  if (more.number !== 1 || end === undefined || startedAt === undefined || end !== finishedAt) return undefined;
  const times = [readyAt - at, createdAt - readyAt, startedAt - createdAt, end - startedAt];
  return outputs === undefined ? times : [...times, outputs];
}

/** The block that a text holds; what is wrong with it becomes problems. */
export function decodeItems(text: Json, path: string, problems: Problem[]): ItemBlock {
  if (!isJsonObject(text) || !Array.isArray(text.items) || !Number.isSafeInteger(text.at)) {
    problems.push({ path, message: 'must be an object with at, a whole number, and items, a list' });
    return [];
  }
  const { at, items } = text as { at: number; items: readonly Json[] };
  if (items.length > ITEMS_PER_BLOCK) problems.push({ path, message: `must have at most ${ITEMS_PER_BLOCK} items` });
  return items.slice(0, ITEMS_PER_BLOCK).map((item, place) => {
    if (item === null) return undefined;
    if (Array.isArray(item)) return readPlain(item as readonly Json[], at, `${path}.items[${place}]`, problems);
    if (isJsonObject(item)) return readStep(item as JsonObject, `${path}.items[${place}]`, problems);
    problems.push({ path: `${path}.items[${place}]`, message: 'must be null, a list or an object' });
    return undefined;
  });
}

function readPlain(item: readonly Json[], at: number, path: string, problems: Problem[]): StepRecord | undefined {
  const [ready, created, started, finished, outputs] = item;
  const times = [ready, created, started, finished];
  if (!times.every(Number.isSafeInteger) || item.length > 5 || (outputs !== undefined && !isJsonObject(outputs))) {
    problems.push({ path, message: 'must be four whole numbers and, if there are any, outputs' });
    return undefined;
  }
  const readyAt = at + (ready as number);
  const createdAt = readyAt + (created as number);
  const startedAt = createdAt + (started as number);
  const finishedAt = startedAt + (finished as number);
  const attempt: AttemptRecord = {
    number: 1,
    phase: 'Succeeded',
    reason: 'Completed',
    createdAt,
    startedAt,
    finishedAt,
  };
  const record = { phase: 'Succeeded', reason: 'Completed', attempts: [attempt], readyAt, finishedAt } as const;
  return outputs === undefined ? record : { ...record, outputs: outputs as JsonObject };
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
