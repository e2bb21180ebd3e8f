import { isJsonObject, type Json, type JsonObject } from '../values/json.ts';
import type { Problem } from '../values/problems.ts';
import { MAX_ITEMS } from '../graph/items.ts';
import { readFields, runFields } from './codec-fields.ts';
import { blockKey, decodeItems, encodeItems, ITEMS_PER_BLOCK, parseBlockKey, type ItemBlock } from './item-codec.ts';
import type { RunRecord, RunState, StepRecord } from './record.ts';
import { plainStep, readStep, stepJson, times } from './step-codec.ts';

/** A run record as texts: what a ConfigMap or a file keeps. */
export interface EncodedRecord {
  readonly run: string;
  /** By step name. */
  readonly steps: Readonly<Record<string, string>>;
  /** Items of map steps, by the keys of their blocks. */
  readonly items?: Readonly<Record<string, string>>;
}

/** A run's own state as JSON. Times are written as ISO 8601 in UTC, since people read records. */
export function encodeRun(run: RunState): string {
  return JSON.stringify({ ...run, ...times(run, ['startedAt', 'finishedAt']) });
}

/**
 * How steps are written. `full`: as objects, with times as people read them. `short`: one that succeeded at once as a list of
 * numbers, a sixth of the size, since a record must fit into one ConfigMap.
 */
export type RecordForm = 'full' | 'short';

/** The form for a run of so many steps: up to a thousand are written in full. */
export function recordForm(steps: number): RecordForm {
  return steps > 1000 ? 'short' : 'full';
}

/** A step's record as JSON. */
export function encodeStep(step: StepRecord, form: RecordForm = 'full'): string {
  return JSON.stringify((form === 'short' ? plainStep(step, 0) : undefined) ?? stepJson(step));
}

/** A whole record as texts. */
export function encodeRecord(record: RunRecord): EncodedRecord {
  const { run, steps } = record;
  const blocks = [...itemBlocks(record)].map(([key, block]) => [key, encodeItems(block)] as const);
  return {
    run: encodeRun(run),
    steps: Object.fromEntries([...steps].map(([name, step]) => [name, encodeStep(step)])),
    ...(blocks.length > 0 && { items: Object.fromEntries(blocks) }),
  };
}

/** The items of map steps in the blocks in which they are kept, by key. */
export function itemBlocks({ items = new Map() }: Pick<RunRecord, 'items'>): ReadonlyMap<string, ItemBlock> {
  return new Map(
    [...items].flatMap(([map, all]) => blocksOf(all).map((block, number) => [blockKey(map, number), block] as const)),
  );
}

function blocksOf(items: ItemBlock): ItemBlock[] {
  const count = Math.ceil(items.length / ITEMS_PER_BLOCK);
  return Array.from({ length: count }, (_, block) =>
    items.slice(block * ITEMS_PER_BLOCK, (block + 1) * ITEMS_PER_BLOCK),
  );
}

/**
 * The record that the texts hold, or all that is wrong with them: anybody may have edited them. Fields that this version
 * does not know are left out, so that a newer version's record can be read after a rollback.
 */
export function decodeRecord(
  encoded: EncodedRecord,
): { readonly record: RunRecord } | { readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const run = decode(encoded.run, 'run', problems, (json, path) =>
    readFields<RunState>(json, runFields, path, problems),
  );
  const steps = new Map<string, StepRecord>();
  for (const [name, text] of Object.entries(encoded.steps)) {
    const path = `steps.${name}`;
    const json = parse(text, path, problems);
    const step = json === undefined ? undefined : readStep(json, 0, path, problems);
    if (step !== undefined) steps.set(name, step);
  }
  const items = readItems(encoded.items ?? {}, steps, problems);
  if (problems.length > 0 || run === undefined) return { problems };
  return { record: { run, steps, ...(items.size > 0 && { items }) } };
}

function readItems(
  encoded: Readonly<Record<string, string>>,
  steps: ReadonlyMap<string, StepRecord>,
  problems: Problem[],
): Map<string, (StepRecord | undefined)[]> {
  const items = new Map<string, (StepRecord | undefined)[]>();
  for (const [name, { items: count = 0 }] of steps)
    if (count > MAX_ITEMS) problems.push({ path: `steps.${name}.items`, message: `must be at most ${MAX_ITEMS}` });
    else if (count > 0) items.set(name, new Array<undefined>(count).fill(undefined));
  for (const [key, text] of Object.entries(encoded)) {
    const { map = '', block = 0 } = parseBlockKey(key) ?? {};
    const all = items.get(map);
    const path = `items.${key}`;
    const records = decode(text, path, problems, (json) => decodeItems(json, path, problems)) ?? [];
    if (all === undefined || block * ITEMS_PER_BLOCK + records.length > all.length)
      problems.push({ path, message: 'are items of no step that has so many' });
    else for (const [place, record] of records.entries()) all[block * ITEMS_PER_BLOCK + place] = record;
  }
  return items;
}

function decode<T>(
  text: string,
  path: string,
  problems: Problem[],
  read: (json: JsonObject, path: string) => T,
): T | undefined {
  const json = parse(text, path, problems);
  if (json === undefined) return undefined;
  if (isJsonObject(json)) return read(json, path);
  problems.push({ path, message: 'must be a JSON object' });
  return undefined;
}

function parse(text: string, path: string, problems: Problem[]): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    problems.push({ path, message: `is not JSON: ${(cause as Error).message}` });
    return undefined;
  }
}
