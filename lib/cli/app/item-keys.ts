import { isDeepStrictEqual } from 'node:util';
import type { ExplainedField } from '../../pods/explanation.ts';
import type { PlaceStep } from '../../pods/origins.ts';

/** Some fields of all, and with them the keys of the list items that they are in: who reads `image` wants to know of which container. */
export function withKeys(some: readonly ExplainedField[], all: readonly ExplainedField[]): readonly ExplainedField[] {
  const items = new Map<string, PlaceStep & object>();
  for (const { place } of some)
    for (const [depth, step] of place.entries())
      if (typeof step === 'object') items.set(JSON.stringify(place.slice(0, depth + 1)), step);
  const chosen = new Set(some);
  for (const field of all) {
    const item = JSON.stringify(field.place.slice(0, -1));
    const step = items.get(item);
    if (step === undefined || !isDeepStrictEqual(field.value, step.item)) continue;
    items.delete(item);
    chosen.add(field);
  }
  return all.filter((field) => chosen.has(field));
}
