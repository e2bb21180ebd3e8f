import { scalarMisfit } from '../../manifests/scalars.ts';
import { structType } from '../../manifests/kinds.ts';
import type { FieldType } from '../../manifests/type-expression.ts';
import { fieldSchema, JOB_TEMPLATE, POD_TEMPLATE, type FieldSchema } from '../../pods/pod-schema.ts';
import { isJsonObject, type Json, type JsonObject } from '../../values/json.ts';
import { show, suggest, type Problem } from '../../values/problems.ts';
import type { SetOption } from './set-option.ts';

/** A place in an override that is being put together. */
interface Cursor {
  readonly type: FieldType;
  readonly schema: FieldSchema | undefined;
  readonly get: () => Json | undefined;
  readonly set: (value: Json) => void;
  /** For an item of a keyed list, the field that it is found by. */
  readonly key?: string;
  /** The same, what is written in its stead to remove it. */
  readonly removed?: Json;
}

/**
 * Writes the value of a `--set` into part of a pod template. What the text means is decided by the type of the field:
 * text, a number, `true`; objects and lists are read as YAML, of which JSON is a part; `null` removes.
 *
 * @param parse reads YAML
 */
export function setField(
  template: JsonObject,
  option: SetOption,
  parse: (text: string) => unknown,
): readonly Problem[] {
  const problem = (message: string, fix?: string): readonly Problem[] => [
    { path: `--set ${option.written}`, message, ...(fix !== undefined && { fix }) },
  ];
  let at: Cursor = {
    type: { is: 'struct', name: POD_TEMPLATE },
    schema: { type: POD_TEMPLATE },
    get: () => template,
    set: () => undefined,
  };
  for (const [index, { name, bracketed }] of option.path.entries()) {
    const here =
      option.path
        .slice(0, index)
        .map((step) => step.name)
        .at(-1) ?? 'a pod template';
    if (name === '__proto__') return problem('has a name that nothing can have');
    if (at.type.is === 'scalar') return problem(`${here} has no field ${show(name)}: it is a value`);
    if (at.type.is === 'list') {
      const key = typeof at.schema?.list === 'object' ? at.schema.list.key : undefined;
      if (key === undefined)
        return problem(
          `${here} is a list that is replaced whole`,
          `give all of it: --set '${upTo(option, index)}=[...]'`,
        );
      if (!bracketed) return problem(`${here} is a list`, `name the item by its ${key}: ${here}[${name}]`);
      if (/^\d+$/.test(name) && scalarOf(at.type.of, key) === 'string')
        return problem(`${here} has its items by their ${key}, and they are not counted`, `write ${here}[<${key}>]`);
      at = itemOf(at, at.type.of, key, name);
      continue;
    }
    if (name === at.key) return problem(`${name} is what the item is found by, and cannot be changed`);
    const field = index === 0 && name === 'job' ? jobOf(at) : fieldOf(at, name);
    if (field === undefined) {
      const { name: type, fields } = structType((at.type as { readonly name: string }).name);
      return problem(`${name} is no field of ${type}`, suggest(name, fields.keys()));
    }
    at = field;
  }
  if (option.text === 'null') {
    at.set(at.removed ?? null);
    return [];
  }
  const value = valueOf(at.type, option.text, parse);
  if (value === undefined)
    return problem(`${show(option.text)} cannot be read as ${at.type.is === 'list' ? 'a list' : 'an object'}`);
  const misfit = at.type.is === 'scalar' ? scalarMisfit(at.type.scalar, value) : undefined;
  if (misfit !== undefined) return problem(`must ${misfit.must}, not ${show(value)}`, misfit.fix);
  at.set(value);
  return [];
}

/** A field of an object, or an entry of a map; nothing when there is no such field. */
function fieldOf(at: Cursor, name: string): Cursor | undefined {
  const type = at.type.is === 'struct' ? structType(at.type.name).fields.get(name) : (at.type as { of: FieldType }).of;
  const schema = at.type.is === 'struct' ? fieldSchema(at.type.name, name) : undefined;
  return type && inside(at, name, type, schema);
}

/** The Job around the pod, which stands beside the fields of the pod's template. */
function jobOf(at: Cursor): Cursor {
  return inside(at, 'job', { is: 'struct', name: JOB_TEMPLATE }, { type: JOB_TEMPLATE });
}

function inside(at: Cursor, name: string, type: FieldType, schema: FieldSchema | undefined): Cursor {
  // Made only when something is written into it.
  const owner = (): JsonObject => {
    const known = at.get();
    if (isJsonObject(known)) return known;
    // What a file removes whole stays removed beside what is set here.
    at.set(known === null ? { $patch: 'replace' } : {});
    return at.get() as JsonObject;
  };
  const peek = () => {
    const known = at.get();
    return isJsonObject(known) ? known[name] : undefined;
  };
  return { type, schema, get: peek, set: (value) => void ((owner() as Record<string, Json>)[name] = value) };
}

/** An item of a list that is merged by a key. */
function itemOf(at: Cursor, type: FieldType, key: string, name: string): Cursor {
  const id = /^-?\d+$/.test(name) && scalarOf(type, key) !== 'string' ? Number(name) : name;
  const items = (): Json[] => {
    const known = at.get();
    return Array.isArray(known) ? (known as Json[]) : known === null ? [{ $patch: 'replace' }] : [];
  };
  const place = (list: readonly Json[]) => list.findIndex((item) => isJsonObject(item) && item[key] === id);
  return {
    type,
    schema: { ...(type.is === 'struct' && { type: type.name }) },
    get: () => items()[place(items())],
    set: (value) => {
      const list = items();
      const found = place(list);
      const item = isJsonObject(value) ? { [key]: id, ...value } : value;
      if (found < 0) list.push(item);
      else list[found] = item;
      at.set(list);
    },
    key,
    removed: { [key]: id, $patch: 'delete' },
  };
}

/** Of what kind a field of an item is; nothing when it is no plain value. */
function scalarOf(type: FieldType, field: string): string | undefined {
  const inner = type.is === 'struct' ? structType(type.name).fields.get(field) : undefined;
  return inner?.is === 'scalar' ? inner.scalar : undefined;
}

function valueOf(type: FieldType, text: string, parse: (text: string) => unknown): Json | undefined {
  if (type.is !== 'scalar') {
    const value = read(text, parse);
    return (type.is === 'list' ? Array.isArray(value) : isJsonObject(value)) ? (value as Json) : undefined;
  }
  if (type.scalar === 'bool' && /^(true|false)$/.test(text)) return text === 'true';
  if (/^(int32|int64|double|intOrString)$/.test(type.scalar) && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  return type.scalar === 'any' ? (read(text, parse) as Json) : text;
}

function read(text: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function upTo({ step, path }: SetOption, index: number): string {
  return [step, ...path.slice(0, index).map(({ name, bracketed }) => (bracketed ? `[${name}]` : `.${name}`))].join('');
}
