import type { IndexedMapStep } from '../graph/graph.ts';
import { itemBytes, itemsOf } from './item-values.ts';
import type { StepKind } from './kinds.ts';
import type { StepRecord } from './record.ts';
import { scopeOf } from './scope.ts';
import { taskStep } from './task-step.ts';
import type { Turn } from './turn.ts';

/** Most that the values of all items may have, in bytes: every pod of the Job has the files of all of them on its node. */
const MAX_ITEM_BYTES = 4 * 1024 * 1024;

/**
 * A step that runs a task for each item of its lists as one thing: an attempt starts, ends and is stopped as that of a task
 * does. Only what the items are is known before, and what they gave is told with the end.
 */
export const indexedMapStep: StepKind = { ...taskStep, ready };

function ready(turn: Turn, index: number): StepRecord {
  const node = turn.ledger.step(index).node as IndexedMapStep;
  const items = itemsOf(node, scopeOf(turn));
  const over = { attempts: [], readyAt: turn.now, finishedAt: turn.now } as const;
  const problem = 'problem' in items ? items.problem : tooLarge(itemBytes(items.lists));
  if ('problem' in items || problem !== undefined)
    return { ...over, phase: 'Failed', reason: 'ItemsInvalid', message: problem! };
  const { count } = items;
  if (count > 0) return { ...taskStep.ready(turn, index), indexes: count };
  const outputs = Object.fromEntries(Object.keys(node.outputs?.properties ?? {}).map((output) => [output, []]));
  return { ...over, phase: 'Succeeded', reason: 'Completed', ...(node.outputs && { outputs }) };
}

function tooLarge(bytes: number): string | undefined {
  return bytes > MAX_ITEM_BYTES
    ? `its items have ${bytes} bytes; ${MAX_ITEM_BYTES} fit, so pass large values by reference`
    : undefined;
}
