import { isJsonObject, type Json } from '../values/json.ts';
import type { Layer } from './layer.ts';

/** Who set a value, and what it replaced. */
export interface Origin {
  readonly layer: Layer;
  /** What the layer set; `undefined` when it removed what was there. */
  readonly value: Json | undefined;
  /** What the layer found there. */
  readonly replaced?: Origin;
}

/** A value that merging takes whole: a scalar, a list without keys, or what a caller put in that is no plain JSON. */
export class Leaf implements Origin {
  readonly layer: Layer;
  readonly value: Json;
  readonly replaced: Origin | undefined;

  constructor(layer: Layer, value: Json, replaced?: Origin) {
    this.layer = layer;
    this.value = value;
    this.replaced = replaced;
  }
}

/** The place of something that a layer took away. */
export class Removed implements Origin {
  readonly layer: Layer;
  readonly value = undefined;
  readonly was: Node;

  constructor(layer: Layer, was: Node) {
    this.layer = layer;
    this.was = was;
  }

  get replaced(): Origin {
    return originOf(this.was);
  }
}

/** A map: an object with fields, or one with keys of the author's own. */
export class MapNode {
  /** Who made it; its fields may be others'. */
  readonly layer: Layer;
  readonly fields: Map<string, Node>;

  constructor(layer: Layer, fields: Map<string, Node>) {
    this.layer = layer;
    this.fields = fields;
  }

  /** The field, unless it is absent or was removed. */
  live(field: string): LiveNode | undefined {
    const node = this.fields.get(field);
    return node instanceof Removed ? undefined : node;
  }

  /** Takes away a field that is there; what it was is remembered. */
  remove(field: string, layer: Layer): void {
    const node = this.fields.get(field);
    if (node !== undefined && !(node instanceof Removed)) this.fields.set(field, new Removed(layer, node));
  }
}

/** An item of a list that is merged: its key's value, or itself in a set of values. */
export interface Item {
  readonly id: Json;
  readonly node: LiveNode;
}

/** A list that is merged item by item. */
export class ListNode {
  readonly layer: Layer;
  items: readonly Item[];
  readonly gone: Map<Json, Removed>;

  constructor(layer: Layer, items: readonly Item[], gone: Map<Json, Removed> = new Map()) {
    this.layer = layer;
    this.items = items;
    this.gone = gone;
  }

  /** Keeps the items that `keep` says yes to; the others are remembered. */
  filter(keep: (id: Json) => boolean, layer: Layer): void {
    for (const { id, node } of this.items) if (!keep(id)) this.gone.set(id, new Removed(layer, node));
    this.items = this.items.filter(({ id }) => keep(id));
  }
}

export type LiveNode = Leaf | MapNode | ListNode;
export type Node = LiveNode | Removed;

/** Who set a node, with its value as a whole. */
export function originOf(node: Node): Origin {
  return node instanceof Leaf || node instanceof Removed ? node : { layer: node.layer, value: valueOf(node) };
}

/** The plain value of a node. Leaves are shared with it, maps and lists are made anew. */
export function valueOf(node: LiveNode): Json {
  if (node instanceof Leaf) return node.value;
  if (node instanceof ListNode) return node.items.map((item) => valueOf(item.node));
  const value: Record<string, Json> = {};
  for (const [field, inner] of node.fields) if (!(inner instanceof Removed)) value[field] = valueOf(inner);
  return value;
}

/** A value that may be changed freely; instances of classes are shared. */
export function copyOf(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(copyOf);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, copyOf(inner)]));
}

/** Whether merging looks into a value: an instance of a class is somebody's own and is taken whole. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, Json>> {
  if (!isJsonObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
