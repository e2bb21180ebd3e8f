import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../values/json.ts';
import { show } from '../values/problems.ts';
import { callOverride, cleanMap, cleanValue, warnIfUnknown } from './clean.ts';
import { isDirective, readDirectives, type Directives, type Patch } from './directives.ts';
import { orderItems } from './element-order.ts';
import { grow } from './grow.ts';
import type { MergeContext } from './merge-context.ts';
import { mergeItems, sameKinds } from './merge-items.ts';
import { copyOf, isPlainObject, Leaf, ListNode, MapNode, valueOf, type Node } from './node.ts';
import { fieldStep, type Path } from './path.ts';
import { fieldSchema, type FieldSchema } from './pod-schema.ts';
import { unionMembers } from './unions.ts';

/** Merges a map of a patch into the map that is inherited. (strategicpatch: mergeMap) */
export function mergeFields(
  node: MapNode,
  patch: Patch,
  schema: FieldSchema | undefined,
  context: MergeContext,
  path: Path | undefined,
): void {
  const directives = readDirectives(patch, context, path);
  if (directives?.mode === 'replace' || directives?.mode === 'delete') {
    const value = directives.mode === 'delete' ? {} : cleanMap(patch, schema, context, path);
    const grown = grow(value ?? {}, schema, context, node) as MapNode;
    node.fields.clear();
    for (const [field, inner] of grown.fields) node.fields.set(field, inner);
    return;
  }
  if (directives?.retainKeys) retain(node, patch, directives.retainKeys, context, path);
  else if (!context.asServer) leaveUnion(node, patch, schema?.type, context);
  if (directives) deleteValues(node, directives, schema?.type, context, path);
  const former = directives && formerOrders(node, directives);
  for (const field in patch) {
    if (isDirective(field) || patch[field] === undefined) continue;
    warnIfUnknown(field, schema, context, path);
    mergeField(node, field, patch[field], fieldSchema(schema?.type, field), context, path);
  }
  if (directives && former) setOrders(node, patch, directives, former, schema?.type, context, path);
}

function mergeField(
  node: MapNode,
  field: string,
  value: unknown,
  schema: FieldSchema | undefined,
  context: MergeContext,
  parent: Path | undefined,
): void {
  if (value === null) return node.remove(field, context.layer);
  const here = node.fields.get(field);
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') {
    node.fields.set(field, grow(value, schema, context, here));
    return;
  }
  const path: Path = { parent, step: fieldStep(field) };
  if (typeof value === 'function') return applyFunction(node, field, value, schema, context, path);
  if (here instanceof MapNode && isPlainObject(value)) return mergeFields(here, value, schema, context, path);
  if (here instanceof ListNode && Array.isArray(value)) {
    const merged = mergeItems(here, value, schema!, context, path, (item, patch, at) =>
      mergeFields(item, patch, { type: schema?.type }, context, at),
    );
    if (merged !== here) node.fields.set(field, merged);
    return;
  }
  const cleaned = cleanValue(value, schema, context, path);
  if (cleaned === undefined) node.remove(field, context.layer);
  else node.fields.set(field, grow(cleaned, schema, context, here));
}

function applyFunction(
  node: MapNode,
  field: string,
  override: unknown,
  schema: FieldSchema | undefined,
  context: MergeContext,
  path: Path,
): void {
  const here = node.live(field);
  const result = callOverride(override, here && copyOf(valueOf(here)), context, path);
  if (result === undefined) return;
  const cleaned = cleanValue(result, schema, context, path);
  if (cleaned === undefined) return node.remove(field, context.layer);
  const former: Node | undefined = node.fields.get(field);
  node.fields.set(field, grow(cleaned, schema, { layer: context.layer, keepEqual: true }, former));
}

/** `$retainKeys`: all fields that it does not name go, and the patch may set no other. */
function retain(
  node: MapNode,
  patch: Patch,
  keys: readonly string[],
  context: MergeContext,
  path: Path | undefined,
): void {
  for (const field in patch)
    if (!isDirective(field) && patch[field] !== null && patch[field] !== undefined && !keys.includes(field))
      context.problem(path, `sets ${field}, which $retainKeys ${show(keys)} does not name`, 'name it, or leave it out');
  for (const field of node.fields.keys()) if (!keys.includes(field)) node.remove(field, context.layer);
}

/** A member of a union that is set puts the other one out: no volume has two sources. */
function leaveUnion(node: MapNode, patch: Patch, type: string | undefined, context: MergeContext): void {
  const members = unionMembers(type);
  if (members === undefined) return;
  const sets = (member: string) =>
    patch[member] !== undefined && patch[member] !== null && !asksDeletion(patch[member]);
  if (members.some(sets)) for (const member of members) if (!sets(member)) node.remove(member, context.layer);
}

function asksDeletion(value: unknown): boolean {
  return isPlainObject(value) && value['$patch'] === 'delete';
}

/** `$deleteFromPrimitiveList/<field>` */
function deleteValues(
  node: MapNode,
  { deletions }: Directives,
  type: string | undefined,
  context: MergeContext,
  parent: Path | undefined,
): void {
  for (const [field, values] of deletions) {
    const list = node.live(field);
    const here = idsOf(list);
    if (!sameKinds(here, values, context, { parent, step: fieldStep(field) })) continue;
    if (list instanceof ListNode) list.filter((id) => !values.includes(id), context.layer);
    else if (list instanceof Leaf && here.some((item) => values.includes(item)))
      node.fields.set(
        field,
        grow(
          here.filter((item) => !values.includes(item)),
          fieldSchema(type, field),
          context,
          list,
        ),
      );
  }
}

function formerOrders(node: MapNode, { order }: Directives): Map<string, readonly Json[]> {
  return new Map([...order.keys()].map((field) => [field, idsOf(node.fields.get(field))]));
}

/** `$setElementOrder/<field>` (strategicpatch: mergePatchIntoOriginal) */
function setOrders(
  node: MapNode,
  patch: Patch,
  { order }: Directives,
  former: ReadonlyMap<string, readonly Json[]>,
  type: string | undefined,
  context: MergeContext,
  parent: Path | undefined,
): void {
  for (const [field, wanted] of order) {
    const list = node.fields.get(field);
    const path: Path = { parent, step: fieldStep(`$setElementOrder/${field}`) };
    const schema = fieldSchema(type, field)?.list;
    const key = typeof schema === 'object' ? schema.key : undefined;
    const ids = wanted.map((item) => (isPlainObject(item) && key !== undefined ? item[key]! : item));
    const given = Array.isArray(patch[field]) ? (patch[field] as unknown[]) : [];
    const named = given.filter((item) => !isPlainObject(item) || item['$patch'] === undefined);
    const givenIds = named.map((item) => (isPlainObject(item) && key !== undefined ? item[key]! : (item as Json)));
    if (ids.length > 0 && !isSubsequence(givenIds, ids))
      context.problem(path, `has not the items of ${field} in their order`, `name ${show(givenIds)} in this order`);
    else if (list instanceof ListNode) list.items = orderItems(list.items, ids, former.get(field) ?? []);
    else if (list instanceof Leaf && Array.isArray(list.value)) {
      const items = (list.value as readonly Json[]).map((id) => ({ id }));
      const ordered = orderItems(items, ids, former.get(field) ?? []).map(({ id }) => id);
      if (!isDeepStrictEqual(ordered, list.value))
        node.fields.set(field, new Leaf(context.layer, ordered, list.layer === context.layer ? list.replaced : list));
    }
  }
}

function idsOf(node: Node | undefined): readonly Json[] {
  if (node instanceof ListNode) return node.items.map(({ id }) => id);
  return node instanceof Leaf && Array.isArray(node.value) ? (node.value as readonly Json[]) : [];
}

function isSubsequence(part: readonly Json[], whole: readonly Json[]): boolean {
  let next = 0;
  for (const item of whole) if (next < part.length && part[next] === item) next++;
  return next === part.length;
}
