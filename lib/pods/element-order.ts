import type { Json } from '../values/json.ts';

/**
 * The order of a merged list: the items that the patch names stand in the patch's order, the others in the order that
 * they had, and both are interleaved by the order that they had. (strategicpatch: normalizeElementOrder, mergeSortedSlice)
 */
export function orderItems<T extends { readonly id: Json }>(
  merged: readonly T[],
  patchOrder: readonly Json[],
  formerOrder: readonly Json[],
): readonly T[] {
  const inPatch = places(patchOrder);
  const former = places(formerOrder);
  const named: T[] = [];
  const others: T[] = [];
  for (const item of merged) (inPatch.has(item.id) ? named : others).push(item);
  // Items of one key come together, as the API server has it.
  const formerPlace = ({ id }: T) => former.get(id) ?? formerOrder.length;
  others.sort((a, b) => formerPlace(a) - formerPlace(b));
  named.sort((a, b) => inPatch.get(a.id)! - inPatch.get(b.id)!);
  const ordered: T[] = [];
  let next = 0;
  for (const item of named) {
    const place = former.get(item.id);
    while (next < others.length && place !== undefined && formerPlace(others[next]!) < place)
      ordered.push(others[next++]!);
    ordered.push(item);
  }
  return [...ordered, ...others.slice(next)];
}

function places(ids: readonly Json[]): Map<Json, number> {
  const found = new Map<Json, number>();
  for (const [place, id] of ids.entries()) if (!found.has(id)) found.set(id, place);
  return found;
}
