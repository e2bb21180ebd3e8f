import { isJsonObject } from '../values/json.ts';

/** Where a value is: the way down to it, last step first, so that it costs nothing until it is written out. */
export interface Place {
  readonly above: Place | undefined;
  /** A field, a key of a map, or the item of a list. */
  readonly step: string | ListItem;
}

/** An item of a list, told by its key where the list has one. */
export interface ListItem {
  readonly index: number;
  readonly item: unknown;
  readonly key: string | undefined;
}

/** A place as people read it: `spec.containers[main].env[MODE].value`, `metadata.annotations[acme.dev/team]`. */
export function fieldPath(place: Place | undefined): string {
  if (place === undefined) return '';
  const { above, step } = place;
  const before = fieldPath(above);
  if (typeof step !== 'string') return `${before}[${itemName(step)}]`;
  if (!/^[\w$-]+$/.test(step)) return `${before}[${step}]`;
  return before === '' ? step : `${before}.${step}`;
}

function itemName({ index, item, key = 'name' }: ListItem): string {
  const name = isJsonObject(item) ? item[key] : undefined;
  return typeof name === 'string' || typeof name === 'number' ? String(name) : String(index);
}
