import { isJsonObject, type JsonObject } from '../values/json.ts';
import type { Problem } from '../values/problems.ts';
import { MAX_ITEMS } from '../graph/items.ts';
import { attemptFields, readFields, runFields, stepFields } from './codec-fields.ts';
import { blockKey, decodeItems, encodeItems, ITEMS_PER_BLOCK, parseBlockKey, type ItemBlock } from './item-codec.ts';
import type { AttemptRecord, RunRecord, RunState, StepRecord } from './record.ts';

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

/** A step's record as JSON. */
export function encodeStep(step: StepRecord): string {
  return JSON.stringify(stepJson(step));
}

/** The object that {@link encodeStep} writes. */
export function stepJson(step: StepRecord): JsonObject {
  const attempts = step.attempts.map((attempt) => ({
    ...attempt,
    ...times(attempt, ['createdAt', 'startedAt', 'finishedAt']),
  }));
  return { ...step, ...times(step, ['readyAt', 'retryAt', 'until', 'finishedAt']), attempts } as unknown as JsonObject;
}

/** A whole record as texts. */
export function encodeRecord({ run, steps, items = new Map() }: RunRecord): EncodedRecord {
  const blocks = [...items].flatMap(([map, all]) =>
    blocksOf(all).map((block, number) => [blockKey(map, number), encodeItems(block)] as const),
  );
  return {
    run: encodeRun(run),
    steps: Object.fromEntries([...steps].map(([name, step]) => [name, encodeStep(step)])),
    ...(blocks.length > 0 && { items: Object.fromEntries(blocks) }),
  };
}

function blocksOf(items: ItemBlock): ItemBlock[] {
  const count = Math.ceil(items.length / ITEMS_PER_BLOCK);
  return Array.from({ length: count }, (_, block) =>
    items.slice(block * ITEMS_PER_BLOCK, (block + 1) * ITEMS_PER_BLOCK),
  );
}

function times<T extends object>(of: T, names: readonly (keyof T & string)[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (typeof of[name] === 'number' ? [[name, new Date(of[name]).toISOString()]] : [])),
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
    const step = decode(text, `steps.${name}`, problems, (json, path) => readStep(json, path, problems));
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
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    problems.push({ path, message: `is not JSON: ${(cause as Error).message}` });
    return undefined;
  }
  if (isJsonObject(json)) return read(json, path);
  problems.push({ path, message: 'must be a JSON object' });
  return undefined;
}

/** A step's record in a JSON object; what is wrong with it becomes problems. */
export function readStep(json: JsonObject, path: string, problems: Problem[]): StepRecord {
  const step = readFields<StepRecord>(json, stepFields, path, problems);
  const attempts: AttemptRecord[] = [];
  for (const [index, item] of (Array.isArray(json.attempts) ? (json.attempts as unknown[]) : []).entries()) {
    const at = `${path}.attempts[${index}]`;
    if (isJsonObject(item)) attempts.push(readFields<AttemptRecord>(item, attemptFields, at, problems));
    else problems.push({ path: at, message: 'must be a JSON object' });
  }
  const wrong = inconsistency(step, attempts);
  if (wrong !== undefined) problems.push({ path: `${path}.attempts`, message: wrong });
  // Without these a waiting step would wait for ever.
  if (step.phase === 'Waiting' && step.readyAt === undefined)
    problems.push({ path: `${path}.readyAt`, message: 'is missing, since the step is Waiting' });
  if (step.phase === 'Waiting' && step.reason === 'Backoff' && step.retryAt === undefined)
    problems.push({ path: `${path}.retryAt`, message: 'is missing, since the step waits for a retry' });
  return { ...step, attempts };
}

/** What the engine takes for granted of a step and its attempts. */
function inconsistency({ phase, items }: StepRecord, attempts: readonly AttemptRecord[]): string | undefined {
  const numbers = attempts.map((attempt) => attempt.number);
  if (numbers.some((number, index) => index > 0 && number <= numbers[index - 1]!))
    return `must be in the order of their numbers, not ${numbers.join(', ')}`;
  const live = attempts.filter((attempt) => attempt.phase === 'Running').length;
  const shouldBe = phase === 'Running' && items === undefined ? 1 : 0;
  if (live !== shouldBe || (shouldBe === 1 && attempts.at(-1)?.phase !== 'Running'))
    return `must ${shouldBe === 1 ? 'end with the only' : 'have no'} running one, since the step is ${phase}`;
  return phase === 'Pending' && attempts.length > 0 ? 'must be empty, since the step is Pending' : undefined;
}
