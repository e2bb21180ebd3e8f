import type { Json } from '../values/json.ts';
import { show, suggest } from '../values/problems.ts';
import type { MergeContext } from './merge-context.ts';
import type { Path } from './path.ts';

/** A map or item of a patch: fields, directives, and functions of what is inherited. */
export type Patch = Readonly<Record<string, unknown>>;

const PATCH = '$patch';
const RETAIN_KEYS = '$retainKeys';
const ORDER = '$setElementOrder/';
const DELETE_FROM = '$deleteFromPrimitiveList/';
const modes = ['replace', 'merge', 'delete'] as const;

export type PatchMode = (typeof modes)[number];

/** What a map of a patch asks for beside its fields. */
export interface Directives {
  readonly mode?: PatchMode;
  /** All other fields are removed. */
  readonly retainKeys?: readonly string[];
  /** The order of the items of a list, by the list's field. */
  readonly order: ReadonlyMap<string, readonly Json[]>;
  /** What is taken from a list of plain values, by the list's field. */
  readonly deletions: ReadonlyMap<string, readonly Json[]>;
}

/** Whether a field of a patch is no field but says how to merge. Kubernetes has no field that starts with `$`. */
export function isDirective(field: string): boolean {
  return field.charCodeAt(0) === 36;
}

/** The directives of a map of a patch, or nothing when it has none. What makes no sense is told to the context. */
export function readDirectives(patch: Patch, context: MergeContext, path: Path | undefined): Directives | undefined {
  let some = false;
  for (const field in patch) if (isDirective(field)) some = true;
  if (!some) return undefined;
  let mode: PatchMode | undefined;
  let retainKeys: readonly string[] | undefined;
  const order = new Map<string, readonly Json[]>();
  const deletions = new Map<string, readonly Json[]>();
  for (const [field, value] of Object.entries(patch)) {
    if (!isDirective(field) || value === undefined) continue;
    if (field === PATCH) mode = readMode(value, context, path);
    else if (!isKnown(field))
      context.problem(
        path,
        `${show(field)} is no directive`,
        suggest(field, [PATCH, RETAIN_KEYS, `${ORDER}<field>`, `${DELETE_FROM}<field>`]),
      );
    else if (!Array.isArray(value)) context.problem(path, `${field} must be a list, not ${show(value)}`);
    else if (field === RETAIN_KEYS) retainKeys = value as string[];
    else if (field.startsWith(ORDER)) order.set(field.slice(ORDER.length), value as Json[]);
    else if (value.some((item) => typeof item === 'object'))
      context.problem(
        path,
        `${field} takes plain values, not ${show(value.find((item) => typeof item === 'object'))}`,
        "an item of a list with a key is removed by { <key>: …, $patch: 'delete' }",
      );
    else deletions.set(field.slice(DELETE_FROM.length), value as Json[]);
  }
  return { ...(mode && { mode }), ...(retainKeys && { retainKeys }), order, deletions };
}

/** The mode of an item of a list, or nothing. Whether it makes sense is told to the context. */
export function modeOf(item: Patch, context: MergeContext, path: Path | undefined): PatchMode | undefined {
  return item[PATCH] === undefined ? undefined : readMode(item[PATCH], context, path);
}

function readMode(value: unknown, context: MergeContext, path: Path | undefined): PatchMode | undefined {
  const mode = modes.find((known) => known === value);
  if (mode === undefined)
    context.problem(path, `$patch is ${show(value)}`, suggest(String(value), modes) ?? `known are ${modes.join(', ')}`);
  return mode;
}

function isKnown(field: string): boolean {
  return field === RETAIN_KEYS || field.startsWith(ORDER) || field.startsWith(DELETE_FROM);
}
