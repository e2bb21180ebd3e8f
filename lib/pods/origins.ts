import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../values/json.ts';
import { layerName, type Layer } from './layer.ts';
import { ListNode, MapNode, originOf, Removed, type Node, type Origin } from './node.ts';
import { fieldStep, joinPath } from './path.ts';

export type { Origin };

/** One step to a place in a template: a field, or an item of a list by its key; `nth` counts further items of one key. */
export type PlaceStep = string | { readonly item: Json; readonly nth?: number };

/** A field of a template and where it came from. */
export interface FieldOrigin {
  /** `spec.containers[main].env[A].value` */
  readonly path: string;
  /** The same, in steps. */
  readonly place: readonly PlaceStep[];
  readonly origin: Origin;
}

/** Where the fields of a merged template came from. */
export class Origins {
  readonly #root: MapNode;

  constructor(root: MapNode) {
    this.#root = root;
  }

  /**
   * Each leaf of the template once, in the template's order. A leaf is what merging takes whole: a scalar, a list
   * without keys (`tolerations`, `args`), an empty map or list.
   */
  leaves(): readonly FieldOrigin[] {
    return this.fields().filter(({ origin }) => !(origin instanceof Removed));
  }

  /** Each leaf that a layer took away and no later one set again. */
  removals(): readonly FieldOrigin[] {
    const found: FieldOrigin[] = [];
    visit(this.#root, [], (place, node) => {
      if (node instanceof Removed) buried(node, place, found);
    });
    return found;
  }

  /** Each leaf once, and in between, each as a whole, what layers took away: there the origin's value is `undefined`. */
  fields(): readonly FieldOrigin[] {
    const found: FieldOrigin[] = [];
    visit(this.#root, [], (place, node) => found.push({ path: placeText(place), place, origin: originOf(node) }));
    return found;
  }

  /** The origin of a leaf, or of the leaf that a path leads into, such as `spec.tolerations[0].key`. */
  at(path: string): Origin | undefined {
    const inside = (leaf: string) => path === leaf || path.startsWith(`${leaf}.`) || path.startsWith(`${leaf}[`);
    return this.leaves().find((leaf) => inside(leaf.path))?.origin;
  }

  /** Whose a place is: of a map or list, theirs who set its last leaf. */
  layerOf(path: string): Layer | undefined {
    return (this.at(path) ?? this.below(path).at(-1)?.origin)?.layer;
  }

  /** The leaves at or below a path, such as `spec.nodeSelector`. */
  below(path: string): readonly FieldOrigin[] {
    return this.leaves().filter(
      (leaf) =>
        path === '' || leaf.path === path || leaf.path.startsWith(`${path}.`) || leaf.path.startsWith(`${path}[`),
    );
  }
}

/** An origin and what it replaced, latest first. */
export function originChain(origin: Origin): readonly Origin[] {
  const chain: Origin[] = [];
  for (let at: Origin | undefined = origin; at !== undefined; at = at.replaced) chain.push(at);
  return chain;
}

/** `"a100", step override of etl/train (main.ts:12), instead of "v100", task of train` */
export function describeOrigin(origin: Origin): string {
  return originChain(origin)
    .filter((at, place, chain) => place === 0 || !isDeepStrictEqual(at.value, chain[place - 1]!.value))
    .map(({ layer, value }) => `${value === undefined ? 'removed' : JSON.stringify(value)}, ${layerName(layer)}`)
    .join(', instead of ');
}

/** `spec.containers[main].env[A].value` */
export function placeText(place: readonly PlaceStep[]): string {
  return place.reduce<string>((path, step) => {
    if (typeof step === 'string') return joinPath(path, fieldStep(step));
    return `${path}[${String(step.item)}${step.nth === undefined ? '' : `#${step.nth}`}]`;
  }, '');
}

type Place = readonly PlaceStep[];

function visit(node: Node, place: Place, tell: (place: Place, node: Node) => void): void {
  if (node instanceof MapNode) {
    const fields = [...node.fields];
    if (fields.every(([, inner]) => inner instanceof Removed)) tell(place, node);
    for (const [field, inner] of fields) visit(inner, [...place, field], tell);
  } else if (node instanceof ListNode) {
    if (node.items.length === 0) tell(place, node);
    const seen = new Map<unknown, number>();
    for (const { id, node: item } of node.items) {
      const nth = (seen.get(id) ?? 0) + 1;
      seen.set(id, nth);
      visit(item, [...place, nth > 1 ? { item: id, nth } : { item: id }], tell);
    }
    for (const [id, gone] of node.gone) visit(gone, [...place, { item: id }], tell);
  } else tell(place, node);
}

function buried(gone: Removed, place: Place, found: FieldOrigin[]): void {
  visit(gone.was, place, (inner, node) => {
    if (node instanceof Removed) buried(node, inner, found);
    else
      found.push({
        path: placeText(inner),
        place: inner,
        origin: { layer: gone.layer, value: undefined, replaced: originOf(node) },
      });
  });
}
