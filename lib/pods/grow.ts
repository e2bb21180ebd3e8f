import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../values/json.ts';
import type { Layer } from './layer.ts';
import {
  isPlainObject,
  Leaf,
  ListNode,
  MapNode,
  originOf,
  Removed,
  type Item,
  type LiveNode,
  type Node,
} from './node.ts';
import { fieldSchema, type FieldSchema } from './pod-schema.ts';

/** How a value that replaces another counts. */
export interface Growth {
  readonly layer: Layer;
  /** Whether what stays equal keeps its origin, as where a function gives back most of what it inherited. */
  readonly keepEqual?: boolean;
}

/** Puts a plain value where nothing was or in place of a node, whose parts it remembers field by field. */
export function grow(value: Json, schema: FieldSchema | undefined, growth: Growth, previous?: Node): LiveNode {
  if (isPlainObject(value)) return growMap(value, schema, growth, previous);
  if (Array.isArray(value) && schema?.list !== undefined && schema.list !== 'atomic')
    return growList(value, schema, growth, previous);
  if (growth.keepEqual && previous instanceof Leaf && isDeepStrictEqual(previous.value, value)) return previous;
  return new Leaf(growth.layer, value, previous && originOf(previous));
}

function growMap(
  value: Readonly<Record<string, Json | undefined>>,
  schema: FieldSchema | undefined,
  growth: Growth,
  previous: Node | undefined,
): MapNode {
  const fields = new Map<string, Node>();
  const before = previous && partsOf(previous, MapNode)?.fields;
  for (const field in value) {
    const inner = value[field];
    if (inner === undefined) continue;
    fields.set(
      field,
      grow(inner, fieldSchema(schema?.type, field), growth, before && part(previous, before.get(field))),
    );
  }
  if (before !== undefined)
    for (const [field, node] of before)
      if (!fields.has(field)) fields.set(field, removed(part(previous, node)!, growth.layer));
  const keeps = growth.keepEqual && previous instanceof MapNode;
  return new MapNode(keeps ? previous.layer : growth.layer, fields);
}

function growList(value: readonly Json[], schema: FieldSchema, growth: Growth, previous: Node | undefined): ListNode {
  const key = typeof schema.list === 'object' ? schema.list.key : undefined;
  const before = previous && partsOf(previous, ListNode);
  const left = [...(before?.items ?? [])];
  const gone = new Map<Json, Removed>();
  const items = value.map((item): Item => {
    const id = key === undefined ? item : (item as Record<string, Json>)[key]!;
    const place = left.findIndex((candidate) => candidate.id === id);
    const former = place < 0 ? before?.gone.get(id) : left.splice(place, 1)[0]!.node;
    return { id, node: grow(item, { type: schema.type }, growth, part(previous, former)) };
  });
  for (const [id, node] of before?.gone ?? []) gone.set(id, node);
  for (const { id, node } of left) gone.set(id, removed(part(previous, node)!, growth.layer));
  for (const { id } of items) gone.delete(id);
  const keeps = growth.keepEqual && previous instanceof ListNode;
  return new ListNode(keeps ? previous.layer : growth.layer, items, gone);
}

/** The node that a place holds or held, when it is of the kind. */
function partsOf<T extends MapNode | ListNode>(
  previous: Node,
  kind: abstract new (...args: never[]) => T,
): T | undefined {
  const node = previous instanceof Removed ? previous.was : previous;
  return node instanceof kind ? (node as T) : undefined;
}

/** What a place had at a field: removed together with the place, if that was removed. */
function part(previous: Node | undefined, inner: Node | undefined): Node | undefined {
  return inner !== undefined && previous instanceof Removed ? removed(inner, previous.layer) : inner;
}

function removed(node: Node, layer: Layer): Removed {
  return node instanceof Removed ? node : new Removed(layer, node);
}
