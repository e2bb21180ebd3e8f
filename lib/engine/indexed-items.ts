import { requiredSuccesses } from '../graph/items.ts';
import type { IndexedItems } from './advance.ts';
import { itemsOf } from './item-values.ts';
import { scopeOf } from './scope.ts';
import type { Turn } from './turn.ts';

/** What an attempt at an indexed map goes over; nothing for a step of another kind. */
export function indexedItems(turn: Turn, index: number): IndexedItems | undefined {
  const { node } = turn.ledger.step(index);
  if (node.kind !== 'indexedMap') return undefined;
  const items = itemsOf(node, scopeOf(turn));
  // They could be gone over when the step became ready, and nothing that they are made of changes.
  if ('problem' in items) throw new Error(`step ${node.name}: ${items.problem}`);
  const { concurrency = turn.spec.parallelism } = node;
  return { ...items, concurrency, required: requiredSuccesses(node, items.count) };
}
