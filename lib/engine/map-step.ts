import type { MapStep } from '../graph/graph.ts';
import { requiredSuccesses } from '../graph/items.ts';
import { failuresText, NAMED_ITEMS, progressText } from './item-texts.ts';
import { itemsDone, type MapItems } from './item-slots.ts';
import { itemsOf } from './item-values.ts';
import { forsakenBy } from './edges.ts';
import type { StepKind } from './kinds.ts';
import type { Ledger } from './ledger.ts';
import { ended, isFinal, type StepEnd } from './phases.ts';
import type { Instant, StepRecord } from './record.ts';
import type { StepReason } from './reasons.ts';
import { isBeingStopped, isTooLate } from './run-state.ts';
import { scopeOf } from './scope.ts';
import { taskStep } from './task-step.ts';
import { timedOut } from './timeouts.ts';
import type { Turn } from './turn.ts';

/**
 * A step that runs a task once for each item of its lists. Each item is a step of its own, with attempts like any other;
 * the map itself runs nothing. It lets items start as its concurrency allows, and ends when they all have.
 */
export const mapStep: StepKind = { ready, stir, expire, due };

function ready(turn: Turn, index: number): StepRecord {
  const items = itemsOf(mapNode(turn.ledger, index), scopeOf(turn));
  const begun = { attempts: [], readyAt: turn.now } as const;
  const over = { ...begun, finishedAt: turn.now };
  if ('problem' in items) return { ...over, phase: 'Failed', reason: 'ItemsInvalid', message: items.problem };
  const { count } = items;
  if (count === 0) return { ...over, phase: 'Succeeded', reason: 'Completed' };
  return { ...begun, phase: 'Running', reason: 'ItemsRunning', items: count };
}

/** Lets items start, ends those that shall not start any more, and the map when all of them have ended. */
function stir(turn: Turn, index: number): void {
  const { ledger, now } = turn;
  const record = ledger.of(index);
  const items = ledger.items.of(index);
  if (record.phase !== 'Running' || items === undefined) return;
  if (isOver(turn, items)) endItems(turn, items);
  else release(turn, items);
  if (itemsDone(items) === items.count) return ledger.put(index, ended(record, endOf(turn, items), now));
  const message = progress(items);
  if (record.reason === 'ItemsRunning' && record.message !== message) ledger.put(index, { ...record, message });
}

/** Whether no further item shall start. */
function isOver({ ledger, state }: Turn, items: MapItems): boolean {
  if (hasTimedOut(ledger, items) || isHopeless(ledger, items)) return true;
  return isTooLate(state, mapNode(ledger, items.map)) || forsakenBy(ledger, items.map) !== undefined;
}

const hasTimedOut = (ledger: Ledger, { map }: MapItems) => ledger.of(map).reason === 'Stopping';

function isHopeless(ledger: Ledger, { map, count, phases }: MapItems): boolean {
  return phases.Failed > count - requiredSuccesses(mapNode(ledger, map), count);
}

// More than may run at once need not wait for it: ten thousand items that do would be as many records.
function release(turn: Turn, items: MapItems): void {
  const { ledger, spec } = turn;
  const concurrency = Math.min(spec.parallelism, mapNode(ledger, items.map).concurrency ?? Infinity);
  const { first, count, phases } = items;
  while (items.released < count && phases.Waiting + phases.Running < concurrency)
    ledger.put(first + items.released, taskStep.ready(turn, first + items.released));
}

function endItems(turn: Turn, items: MapItems): void {
  const { ledger, now } = turn;
  const { first, count, phases } = items;
  const cancels = ledger.topology.graph.failurePolicy === 'CancelRunning';
  // A run that ends for another reason stops by itself what it wants stopped.
  const stops = hasTimedOut(ledger, items) || (cancels && isHopeless(ledger, items));
  if (phases.Pending + phases.Waiting + (stops ? phases.Running : 0) === 0) return;
  for (let index = first; index < first + count; index++) {
    const record = ledger.of(index);
    if (record.phase === 'Running' && stops) taskStep.attempts!.stop(turn, index, 'MapStopped');
    else if (record.phase !== 'Running' && !isFinal(record.phase))
      ledger.put(index, ended(record, endOfItem(record), now));
  }
}

/** An item that waits for a retry ends as its last attempt did. */
function endOfItem({ attempts }: StepRecord): StepEnd {
  const last = attempts.at(-1);
  const message = 'no more items start';
  if (last === undefined) return { phase: 'Cancelled', reason: 'MapStopped', message };
  return { phase: 'Failed', reason: last.reason, message: `${last.message ?? last.reason}; not retried: ${message}` };
}

function endOf(turn: Turn, items: MapItems): StepEnd {
  const { ledger, state } = turn;
  if (hasTimedOut(ledger, items)) {
    const { reason, message } = timedOut(mapNode(ledger, items.map), 'StepTimeout');
    return { phase: 'Failed', reason, message };
  }
  if (isHopeless(ledger, items)) return { phase: 'Failed', reason: 'ItemsFailed', message: failures(ledger, items) };
  const { count, phases } = items;
  if (phases.Succeeded + phases.Failed === count) {
    const said = [...(phases.Failed > 0 ? [failures(ledger, items)] : []), ...fromCache(items)];
    return { phase: 'Succeeded', reason: 'Completed', ...(said.length > 0 && { message: said.join('; ') }) };
  }
  const had = `${itemsRun(items)} of ${count} items had run`;
  const forsaken = isBeingStopped(state) ? undefined : forsakenBy(ledger, items.map);
  if (forsaken !== undefined)
    return { phase: 'Failed', reason: 'ServiceFailed', message: `${forsaken.message}; ${had}` };
  const reason: StepReason =
    state.reason === 'CancelRequested' || state.reason === 'RunTimeout' ? state.reason : 'FailurePolicy';
  return { phase: 'Cancelled', reason, message: had };
}

const itemsRun = ({ phases }: MapItems) => phases.Succeeded + phases.Failed;

function failures(ledger: Ledger, { first, count, phases }: MapItems): string {
  const named: string[] = [];
  for (let index = first; index < first + count && named.length < NAMED_ITEMS; index++) {
    const { phase, reason, message } = ledger.of(index);
    if (phase === 'Failed') named.push(`${ledger.step(index).node.name} (${message ?? reason})`);
  }
  return failuresText(phases.Failed, count, named);
}

/** `40 of 100 items from the cache` */
function fromCache({ records, count }: MapItems): string[] {
  const hits = records.filter((record) => record?.reason === 'Cached').length;
  return hits === 0 ? [] : [`${hits} of ${count} items from the cache`];
}

function progress(items: MapItems): string {
  return progressText(itemsDone(items), items.count, items.phases.Failed);
}

function expire(turn: Turn, index: number): void {
  const record = turn.ledger.of(index);
  turn.ledger.put(index, { ...record, reason: 'Stopping', message: 'its time is up' });
  stir(turn, index);
}

function due(node: MapStep, { phase, reason, readyAt }: StepRecord): Instant | undefined {
  if (node.timeoutSeconds === undefined || readyAt === undefined) return undefined;
  return phase === 'Running' && reason !== 'Stopping' ? readyAt + node.timeoutSeconds * 1000 : undefined;
}

function mapNode(ledger: Ledger, index: number): MapStep {
  return ledger.step(index).node as MapStep;
}
