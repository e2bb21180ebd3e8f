import type { Json } from '../values/json.ts';
import { show } from '../values/problems.ts';
import { cleanList, cleanMap, isMarker, keyOf, missingKey } from './clean.ts';
import { modeOf, type Patch } from './directives.ts';
import { orderItems } from './element-order.ts';
import { grow } from './grow.ts';
import type { MergeContext } from './merge-context.ts';
import type { ListNode, MapNode } from './node.ts';
import { isPlainObject, type Item } from './node.ts';
import type { Path } from './path.ts';
import type { FieldSchema } from './pod-schema.ts';

type MergeItem = (item: MapNode, patch: Patch, path: Path) => void;

/**
 * Merges a list of a patch into the inherited one, which is changed, or gives the one that replaces it. Inherited
 * items keep their order and new ones follow: the API server puts new ones first, where a variable that says
 * `$(INHERITED)` is not expanded. (strategicpatch: mergeSlice)
 */
export function mergeItems(
  list: ListNode,
  patch: readonly unknown[],
  schema: FieldSchema,
  context: MergeContext,
  path: Path,
  mergeItem: MergeItem,
): ListNode {
  if (typeof schema.list !== 'object') return mergeSet(list, patch as readonly Json[], context, path);
  const { key } = schema.list;
  const plain: Patch[] = [];
  let replaces = false;
  for (const item of patch) {
    if (!isPlainObject(item)) {
      missingKey(item, key, context, path);
      continue;
    }
    const mode = modeOf(item, context, path);
    if (mode === 'replace') {
      replaces = isMarker(item, context, path);
      continue;
    }
    const id = keyOf(item, key, context, path);
    if (id === undefined) continue;
    if (mode === 'delete') list.filter((other) => other !== id, context.layer);
    else plain.push(item);
  }
  if (replaces) return grow(cleanList(plain, schema, context, path), schema, context, list) as ListNode;
  const former = list.items.map(({ id }) => id);
  const seen = new Set<Json>();
  const merged: Item[] = [...list.items];
  for (const item of plain) {
    const id = item[key] as Json;
    if (seen.has(id)) warnTwice(id, key, context, path);
    seen.add(id);
    const at: Path = { parent: path, step: `[${String(id)}]` };
    const found = merged.find((candidate) => candidate.id === id);
    if (found !== undefined) mergeItem(found.node as MapNode, item, at);
    else {
      const value = cleanMap(item, { type: schema.type }, context, at) ?? {};
      merged.push({ id, node: grow(value, { type: schema.type }, context, list.gone.get(id)) });
      list.gone.delete(id);
    }
  }
  list.items = context.asServer ? orderItems(merged, [...seen], former) : merged;
  return list;
}

/** Whether two lists hold values of one kind, as the API server demands of lists that it puts together. */
export function sameKinds(a: readonly Json[], b: readonly Json[], context: MergeContext, path: Path): boolean {
  const kinds = new Set([...a, ...b].map((value) => (value === null ? 'null' : typeof value)));
  if (kinds.size > 1) context.problem(path, `${show(b)} does not fit ${show(a)}`, 'give values of one type');
  return kinds.size <= 1;
}

function mergeSet(list: ListNode, patch: readonly Json[], context: MergeContext, path: Path): ListNode {
  const former = list.items.map(({ id }) => id);
  if (!sameKinds(former, patch, context, path)) return list;
  const merged = new Map(list.items.map((item) => [item.id, item] as const));
  for (const id of patch)
    merged.set(id, { id, node: grow(id, undefined, context, merged.get(id)?.node ?? list.gone.get(id)) });
  const items = [...merged.values()];
  list.items = context.asServer ? orderItems(items, patch, former) : items;
  return list;
}

// Two ports of one number, for TCP and UDP, become one: kubernetes/kubernetes#105610.
function warnTwice(id: Json, key: string, context: MergeContext, path: Path): void {
  context.warning(
    path,
    undefined,
    `has two items whose ${key} is ${show(id)}, and Kubernetes merges both into one`,
    "replace the list with { $patch: 'replace' } or a function to keep both",
  );
}
