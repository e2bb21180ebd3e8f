import { createRequire } from 'node:module';
import type { Ajv2020, ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import type * as ajvModule from 'ajv/dist/2020.js';
import type { Json, JsonObject } from './json.ts';
import { show, suggest, type Problem } from './problems.ts';

/** A JSON Schema (draft 2020-12) of one value. */
export type JsonSchema = JsonObject;

/** The schema of a set of named values: the inputs or outputs of a task or workflow. */
export interface ObjectSchema {
  readonly properties: Readonly<Record<string, JsonSchema>>;
  /** The names that must be there. */
  readonly required: readonly string[];
}

/** Values that fit, with defaults filled in and undeclared names left out, or what is wrong with them. */
export type Checked =
  { readonly ok: true; readonly values: JsonObject } | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Checks named values against their schema. `unknown: 'refuse'` makes a name that the schema lacks a
 * problem (inputs, where it is a typing mistake); `'drop'` leaves it out (outputs, where a task may say more
 * than was asked).
 */
export function checkValues(schema: ObjectSchema, values: JsonObject, unknown: 'refuse' | 'drop', path = ''): Checked {
  const problems: Problem[] = [];
  const checked: Record<string, Json> = {};
  const at = (name: string) => (path === '' ? name : `${path}.${name}`);
  const names = Object.keys(schema.properties);
  const given = withDefaults(schema, values);
  for (const name of Object.keys(values)) {
    if (Object.hasOwn(schema.properties, name) || unknown === 'drop') continue;
    problems.push({ path: at(name), message: 'is not known', fix: suggest(name, names) ?? 'remove it' });
  }
  for (const name of names) {
    const property = schema.properties[name]!;
    const value = given[name];
    if (value !== undefined) {
      problems.push(...checkValue(property, value, at(name)));
      checked[name] = value;
    } else if (schema.required.includes(name)) {
      problems.push({ path: at(name), message: 'is missing', fix: `give a value of type ${describeType(property)}` });
    }
  }
  return problems.length === 0 ? { ok: true, values: checked } : { ok: false, problems };
}

/** The values with the schema's defaults for names that are not given. Checks nothing. */
export function withDefaults(schema: ObjectSchema, values: JsonObject): JsonObject {
  const defaults = Object.entries(schema.properties).flatMap(([name, { default: value }]) =>
    value === undefined ? [] : [[name, value]],
  );
  return { ...Object.fromEntries(defaults), ...values } as JsonObject;
}

/** What is wrong with one value; nothing when it fits. */
export function checkValue(schema: JsonSchema, value: Json, path: string): readonly Problem[] {
  const validate = validator(schema);
  if (validate(value)) return [];
  return (validate.errors ?? []).map((error) => toProblem(error, value, path));
}

/** A schema's type in a word or two, for messages: `string`, `integer`, `array of string`, `"a" | "b"`. */
export function describeType(schema: JsonSchema): string {
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (Array.isArray(schema.anyOf)) return schema.anyOf.map((inner) => describeType(inner as JsonSchema)).join(' | ');
  if (schema.type === 'array')
    return `array of ${schema.items ? describeType(schema.items as JsonSchema) : 'anything'}`;
  return typeof schema.type === 'string' ? schema.type : 'any';
}

/** A schema that says of what type a value is, and no more. */
export function schemaOfValue(value: Json): JsonSchema {
  if (value === null) return { type: 'null' };
  if (Array.isArray(value)) return { type: 'array' };
  return { type: Number.isInteger(value) ? 'integer' : typeof value };
}

/**
 * Text from a command line as the value that the schema asks for: `3` is a number for a number, and a string
 * for a string. What does not parse stays text, so that the check reports it.
 */
export function parseValue(schema: JsonSchema, text: string): Json {
  if (accepts(schema, 'string')) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function accepts(schema: JsonSchema, type: string): boolean {
  if (schema.type === type || (Array.isArray(schema.type) && schema.type.includes(type))) return true;
  if (Array.isArray(schema.enum)) return schema.enum.some((value) => typeof value === type);
  if (schema.const !== undefined) return typeof schema.const === type;
  return Array.isArray(schema.anyOf) && schema.anyOf.some((inner) => accepts(inner as JsonSchema, type));
}

function toProblem(error: ErrorObject, root: Json, path: string): Problem {
  const steps = error.instancePath.split('/').slice(1);
  const value = steps.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | null)?.[key], root);
  return { path: [path, ...steps].join('.'), message: `${wrongWith(error)}, but is ${show(value)}` };
}

function wrongWith({ keyword, params, parentSchema, message = 'does not fit its schema' }: ErrorObject): string {
  if (keyword === 'additionalProperties') return `has the unknown field ${show(params.additionalProperty)}`;
  if (keyword === 'enum') return `must be ${(params.allowedValues as Json[]).map(show).join(' or ')}`;
  // The pattern of a date fills three lines, and says less.
  const format: unknown = keyword === 'pattern' ? parentSchema?.format : undefined;
  return typeof format === 'string' ? `must be text of the format ${show(format)}` : message;
}

// Ajv takes 50 ms to load and most commands never check a value, so it is loaded by the first check.
let ajv: Ajv2020 | undefined;
const validators = new WeakMap<JsonSchema, ValidateFunction>();

function validator(schema: JsonSchema): ValidateFunction {
  let found = validators.get(schema);
  if (found === undefined) {
    if (ajv === undefined) {
      const { Ajv2020: Ajv } = createRequire(import.meta.url)('ajv/dist/2020.js') as typeof ajvModule;
      ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false, logger: false, verbose: true });
    }
    found = ajv.compile(schema);
    validators.set(schema, found);
  }
  return found;
}
