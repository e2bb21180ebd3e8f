import type { TaskStep } from '../graph/graph.ts';
import { fullHash } from '../values/hash.ts';
import type { JsonObject } from '../values/json.ts';
import { checkValues } from '../values/schema.ts';
import type { CacheAnswer, Observation } from './advance.ts';
import type { KeptResult } from './kept-result.ts';
import type { Ledger } from './ledger.ts';
import { ended } from './phases.ts';
import type { Instant, Lock, StepRecord } from './record.ts';
import { resolve, resolveAll } from './resolve.ts';
import { scopeOfStep } from './scope.ts';
import { spanText } from './span.ts';
import type { Turn } from './turn.ts';
import { waitingReason } from './waiting.ts';

/** Whether the result of an equal step may take the place of this one's. */
export function mayTakeResult({ ledger, spec }: Turn, index: number): boolean {
  const { cache, rerun = [] } = spec;
  // Who asks for a step by its name wants it to run.
  return policyOf(ledger, index) !== undefined && cache === undefined && !rerun.includes(graphStepOf(ledger, index));
}

/** The lock of a step that is to run alone among those that would give the same. It asks once more when it has the lock. */
export function resultLock(turn: Turn, index: number): Lock | undefined {
  if (policyOf(turn.ledger, index)?.serialize !== true || !mayTakeResult(turn, index)) return undefined;
  return { key: cacheKey(turn, index), limit: 1, scope: 'result' };
}

const policyOf = (ledger: Ledger, index: number) => (ledger.step(index).node as TaskStep).cache;

/** Asks, for the first time or again; a step that has nothing to ask for (anybody may have edited its record) goes on. */
export function lookUp(turn: Turn, index: number): void {
  const { name, cache } = turn.ledger.step(index).node as TaskStep;
  if (cache === undefined) return goOn(turn, index);
  turn.commands.push({ kind: 'lookup', step: name, key: cacheKey(turn, index) });
}

/** Has the result of a step kept that has just succeeded. */
export function keepResult(turn: Turn, index: number, outputs: JsonObject | undefined, at: Instant): void {
  const { name, cache } = turn.ledger.step(index).node as TaskStep;
  if (cache === undefined || turn.spec.cache === 'Off') return;
  const result: KeptResult = { ...(outputs && { outputs }), run: turn.spec.name, step: name, at };
  const { ttlSeconds } = cache;
  turn.commands.push({
    kind: 'keep',
    step: name,
    key: cacheKey(turn, index),
    result,
    ...(ttlSeconds !== undefined && { ttlSeconds }),
  });
}

/** What two steps have in common when the one may take the other's result. The order of inputs, and of fields in them, does not count. */
function cacheKey(turn: Turn, index: number): string {
  const { cache, inputs } = turn.ledger.step(index).node as TaskStep;
  const { key, content, ignoreInputs = [] } = cache!;
  const scope = scopeOfStep(turn, index);
  const counted = Object.entries(inputs).filter(([input]) => !ignoreInputs.includes(input));
  return fullHash([key, resolveAll(Object.fromEntries(counted), scope), content && resolve(content, scope)]);
}

/**
 * Takes in what was found for steps that wait for it, and returns whether one of them has its result now.
 *
 * @param run starts a step that has its room and its locks
 */
export function takeAnswers(turn: Turn, observations: readonly Observation[], run: (index: number) => void): boolean {
  let hit = false;
  for (const answer of observations) if ('found' in answer) hit = takeAnswer(turn, answer, run) || hit;
  return hit;
}

// Whatever is late or repeated finds the step no longer waiting for it.
function takeAnswer(turn: Turn, { step, found }: CacheAnswer, run: (index: number) => void): boolean {
  const { ledger, now } = turn;
  const index = ledger.find(step);
  if (index === undefined || ledger.of(index).reason !== 'CheckingCache') return false;
  const record = ledger.of(index);
  const node = ledger.step(index).node as TaskStep;
  const result = found && usable(node, found, now);
  if (result === undefined) {
    if (record.phase === 'Running' && ledger.isServed(index)) run(index);
    else goOn(turn, index);
    return false;
  }
  const isItem = ledger.items.owner(index) !== undefined;
  ledger.put(index, cached(record, result, isItem ? undefined : sourceOf(result, now), now));
  return true;
}

/** The step is to run. */
function goOn({ ledger, spec }: Turn, index: number): void {
  ledger.put(index, { ...ledger.of(index), phase: 'Waiting', reason: waitingReason(spec) });
}

/** A kept result as the step may take it: young enough, and with what the step is to give. */
function usable({ cache, outputs: schema }: TaskStep, result: KeptResult, now: Instant): KeptResult | undefined {
  if (cache === undefined || now - result.at >= (cache.ttlSeconds ?? Infinity) * 1000) return undefined;
  const { outputs: _, ...source } = result;
  if (schema === undefined) return source;
  const checked = checkValues(schema, result.outputs ?? {}, 'drop', 'outputs');
  return checked.ok ? { ...source, outputs: checked.values } : undefined;
}

// Of ten thousand items each sentence would take the room of an item's outputs: the map says how many there are.
function cached(record: StepRecord, { outputs }: KeptResult, message: string | undefined, now: Instant): StepRecord {
  const { readyAt: _, ...rest } = ended(record, { phase: 'Succeeded', reason: 'Cached' }, now);
  return { ...rest, ...(outputs && { outputs }), ...(message !== undefined && { message }) };
}

/** `from the cache: step extract of run etl-41, 3 h ago` */
function sourceOf({ run, step, at }: KeptResult, now: Instant): string {
  return `from the cache: step ${step} of run ${run}, ${spanText(at, now)} ago`;
}

/** The step of the graph that a step is, or is an item of. */
function graphStepOf(ledger: Ledger, index: number): string {
  return ledger.step(ledger.items.mapOf(index) ?? index).node.name;
}
