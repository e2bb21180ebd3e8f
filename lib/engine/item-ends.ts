import type { IndexedMapStep } from '../graph/graph.ts';
import { itemName, requiredSuccesses } from '../graph/items.ts';
import type { Json, JsonObject } from '../values/json.ts';
import type { AttemptState, OutputsText } from './advance.ts';
import { failuresText, NAMED_ITEMS } from './item-texts.ts';
import { readOutputs } from './outputs.ts';
import type { Instant } from './record.ts';

/** How an item of an Indexed Job, or of what stands for one, ended. */
export type ItemEnd =
  | { readonly kind: 'succeeded'; readonly outputs?: OutputsText }
  /** It succeeded, but what it gave is gone with its pod. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'failed'; readonly message: string };

/** What is known of all items of an attempt that has ended. */
export interface ItemEnds {
  readonly count: number;
  /** By item; without those that ran to no end. */
  readonly ends: ReadonlyMap<number, ItemEnd>;
  readonly startedAt?: Instant;
  readonly finishedAt: Instant;
  /** How the attempt ended if items that ran to no end were wanted. */
  readonly otherwise: AttemptState & { readonly kind: 'failed' };
}

/**
 * The outputs of all items have to fit into the record of the run, which is one ConfigMap; the rest of its 1 MiB is for what
 * else is in there. (pkg/apis/core/validation: ValidateConfigMap)
 */
const MAX_RESULT_BYTES = 960 * 1024;

/** What became of an attempt at an indexed map, by what became of its items. */
export function endOfItems(node: IndexedMapStep, all: ItemEnds): AttemptState {
  const { count, ends, startedAt, finishedAt, otherwise } = all;
  const failures: string[] = [];
  const lost: string[] = [];
  const gave = new Map<number, JsonObject>();
  for (const [item, end] of [...ends].sort(([a], [b]) => a - b)) {
    const name = itemName(node.name, item);
    const result = resultOf(node, end);
    if (result === undefined) lost.push(name);
    else if (typeof result === 'string') failures.push(`${name} (${result})`);
    else gave.set(item, result);
  }
  const at = { ...(startedAt !== undefined && { startedAt }), finishedAt };
  const mayFail = count - requiredSuccesses(node, count);
  const failed = failuresText(failures.length, count, failures.slice(0, NAMED_ITEMS));
  if (failures.length > mayFail)
    return { kind: 'failed', ...at, failure: 'user', reason: 'ItemsFailed', message: failed };
  if (failures.length + lost.length > mayFail) {
    const message = `the pods of ${lost.length} of ${count} items are gone, and their outputs with them: ${named(lost)}`;
    return { kind: 'failed', ...at, failure: 'system', reason: 'PodDeleted', message };
  }
  if (ends.size < count) return otherwise;
  const read = listsOf(node, count, gave);
  const size = Buffer.byteLength(JSON.stringify(read));
  if (size > MAX_RESULT_BYTES) {
    const message = `the outputs of its ${count} items have ${size} bytes; ${MAX_RESULT_BYTES} bytes fit into the record of the run`;
    return { kind: 'failed', ...at, failure: 'user', reason: 'OutputsTooLarge', message };
  }
  const said = [
    ...(failures.length > 0 ? [failed] : []),
    ...(lost.length > 0 ? [`the outputs of ${lost.length} are gone with their pods: ${named(lost)}`] : []),
  ];
  return { kind: 'succeeded', ...at, read, ...(said.length > 0 && { message: said.join('; ') }) };
}

/** What an item gave, or why it failed after all; nothing when it gave what it must and that is lost. */
function resultOf({ itemOutputs }: IndexedMapStep, end: ItemEnd): JsonObject | string | undefined {
  if (end.kind === 'failed') return end.message;
  if (end.kind === 'lost') return (itemOutputs?.required.length ?? 0) > 0 ? undefined : {};
  const read = readOutputs(itemOutputs, end.outputs);
  return 'reason' in read ? read.message : (read.outputs ?? {});
}

/** The outputs of the items, each as a list in their order, with `null` where an item gave none. */
function listsOf({ outputs }: IndexedMapStep, count: number, gave: ReadonlyMap<number, JsonObject>): JsonObject {
  const list = (output: string): Json[] => Array.from({ length: count }, (_, item) => gave.get(item)?.[output] ?? null);
  return Object.fromEntries(Object.keys(outputs?.properties ?? {}).map((output) => [output, list(output)]));
}

function named(names: readonly string[]): string {
  const more = names.length > NAMED_ITEMS ? ` and ${names.length - NAMED_ITEMS} more` : '';
  return `${names.slice(0, NAMED_ITEMS).join(', ')}${more}`;
}
