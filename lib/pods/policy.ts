import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../values/json.ts';
import { show } from '../values/problems.ts';
import { callOverride, cleanValue, missingKey, warnIfUnknown } from './clean.ts';
import { isDirective, type Patch } from './directives.ts';
import { grow } from './grow.ts';
import { layerName, type Layer } from './layer.ts';
import type { MergeContext } from './merge-context.ts';
import { copyOf, isPlainObject, ListNode, MapNode, Removed, valueOf, type Item, type LiveNode } from './node.ts';
import { fieldStep, pathText, type Path } from './path.ts';
import { fieldSchema, JOB_TEMPLATE, POD_TEMPLATE, type FieldSchema } from './pod-schema.ts';
import { termsText } from './node-affinity.ts';
import { checkPlacement, conjoin } from './policy-lists.ts';
import { unionMembers } from './unions.ts';

/**
 * Puts a policy over a merged template. Every field that it sets holds, whoever set it before:
 *
 * - what nobody set, or only `base` and `cluster defaults`, which are the platform's own, gets the policy's value;
 * - what another layer set to the same value stays;
 * - what another layer set to another value is a problem that names both: somebody would otherwise get a pod that is
 *   not what they wrote, and not learn why. The same goes for a field that the policy sets to `null`: it must stay unset;
 * - tolerations, preferred and pod (anti-)affinity terms and dropped capabilities are added to those that are there,
 *   required node affinity is AND-ed by cross product: both sides hold;
 * - a function of what is inherited replaces it, whatever it was.
 */
export function enforcePolicy(root: MapNode, context: MergeContext): void {
  enforceAll(root, context.layer.template as Patch, POD_TEMPLATE, context);
  checkPlacement(root, context);
}

/** Puts a policy over the Job around a pod, by the same rules. */
export function enforceJobPolicy(root: MapNode, policy: Patch, context: MergeContext): void {
  enforceAll(root, policy, JOB_TEMPLATE, context);
}

function enforceAll(root: MapNode, policy: Patch, type: string, context: MergeContext): void {
  refuseDirectives(policy, context, undefined);
  enforce(root, policy, { type }, context, undefined);
}

/** A policy says what holds, not how to change what it happens to find. */
function refuseDirectives(value: unknown, context: MergeContext, path: Path | undefined): void {
  if (Array.isArray(value)) for (const item of value) refuseDirectives(item, context, path);
  else if (isPlainObject(value))
    for (const [field, inner] of Object.entries(value)) {
      if (isDirective(field))
        context.problem(path, `${field} has no meaning in a policy`, 'a field is kept unset by null');
      else refuseDirectives(inner, context, { parent: path, step: fieldStep(field) });
    }
}

function enforce(
  node: MapNode,
  policy: Patch,
  schema: FieldSchema | undefined,
  context: MergeContext,
  path: Path | undefined,
): void {
  const members = unionMembers(schema?.type) ?? [];
  if (members.some((member) => isSet(policy[member])))
    for (const member of members) if (!isSet(policy[member])) forbid(node, member, context, path);
  for (const [field, value] of Object.entries(policy)) {
    if (value === undefined) continue;
    if (isDirective(field)) continue;
    warnIfUnknown(field, schema, context, path);
    if (value === null) forbid(node, field, context, path);
    else enforceField(node, field, value, schema?.type, context, path);
  }
}

function enforceField(
  node: MapNode,
  field: string,
  value: unknown,
  type: string | undefined,
  context: MergeContext,
  parent: Path | undefined,
): void {
  const schema = fieldSchema(type, field);
  const path: Path = { parent, step: fieldStep(field) };
  const here = node.live(field);
  if (here instanceof MapNode && isPlainObject(value)) return enforce(here, value, schema, context, path);
  if (here instanceof ListNode && Array.isArray(value) && typeof schema?.list === 'object')
    return enforceItems(here, value, schema.list.key, schema, context, path);
  if (typeof value === 'function') {
    const result = callOverride(value, here && copyOf(valueOf(here)), context, path);
    const cleaned = result === undefined ? here && valueOf(here) : cleanValue(result, schema, context, path);
    if (cleaned === undefined) node.remove(field, context.layer);
    else
      node.fields.set(field, grow(cleaned, schema, { layer: context.layer, keepEqual: true }, node.fields.get(field)));
    return;
  }
  const held = cleanValue(value, schema, context, path);
  if (held === undefined) return;
  const inherited = here && valueOf(here);
  if (here !== undefined && inherited !== undefined && !isDeepStrictEqual(inherited, held)) {
    const conjoined = conjoin(`${type}.${field}`, inherited, held);
    if (conjoined !== undefined && isDeepStrictEqual(conjoined, inherited)) return;
    if (conjoined !== undefined && conjoined.length > 0)
      return void node.fields.set(field, grow(conjoined, schema, context, here));
    const author = authorOf(here);
    if (conjoined !== undefined)
      contradiction(here, `${termsText(inherited)} can never match together with ${termsText(held)}`, context, path);
    else if (author !== undefined)
      contradiction(here, `is ${show(inherited)} and must be ${show(held)}`, context, path, author);
  }
  node.fields.set(field, grow(held, schema, context, node.fields.get(field)));
}

function enforceItems(
  list: ListNode,
  policy: readonly unknown[],
  key: string,
  schema: FieldSchema,
  context: MergeContext,
  path: Path,
): void {
  const items: Item[] = [...list.items];
  for (const item of policy) {
    const id = isPlainObject(item) ? item[key] : undefined;
    if (!isPlainObject(item) || id === undefined || id === null) {
      missingKey(item, key, context, path);
      continue;
    }
    const at: Path = { parent: path, step: `[${String(id)}]` };
    const found = items.filter((candidate) => candidate.id === id);
    for (const { node } of found) enforce(node as MapNode, item, { type: schema.type }, context, at);
    if (found.length > 0) continue;
    const value = cleanValue(item, { type: schema.type }, context, at);
    if (value !== undefined) items.push({ id, node: grow(value, { type: schema.type }, context, list.gone.get(id)) });
    list.gone.delete(id);
  }
  list.items = items;
}

/** Keeps a field unset. */
function forbid(node: MapNode, field: string, context: MergeContext, parent: Path | undefined): void {
  const here = node.live(field);
  if (here === undefined) return;
  const author = authorOf(here);
  if (author !== undefined)
    contradiction(
      here,
      `is ${show(valueOf(here))} and must not be set`,
      context,
      { parent, step: fieldStep(field) },
      author,
    );
  node.remove(field, context.layer);
}

function contradiction(
  here: LiveNode,
  message: string,
  context: MergeContext,
  path: Path,
  author: Layer = authorOf(here) ?? here.layer,
): void {
  const policy = layerName(context.layer);
  context.problems.push({
    path: pathText(path),
    message: `${message}: ${layerName(author)} set it, ${policy} holds it`,
    fix: `leave it out of the ${author.kind}, or have the policy changed`,
  });
}

/** The layer of somebody who meant what is there: not the platform's own defaults. */
function authorOf(node: LiveNode): Layer | undefined {
  if (node instanceof MapNode)
    return [...node.fields.values()].flatMap((inner) => (inner instanceof Removed ? [] : (authorOf(inner) ?? [])))[0];
  if (node instanceof ListNode && node.items.length > 0)
    return node.items.flatMap((item) => authorOf(item.node) ?? [])[0];
  return node.layer.kind === 'base' || node.layer.kind === 'cluster defaults' ? undefined : node.layer;
}

function isSet(value: unknown): value is Json {
  return value !== undefined && value !== null;
}
