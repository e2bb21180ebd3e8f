import type { Environment, ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';
import { loadCel } from './cel.ts';
import type { Condition } from './condition.ts';
import { canonicalJson, isJsonObject, type Json } from './json.ts';
import { show, suggest, type Problem } from './problems.ts';
import type { JsonSchema, ObjectSchema } from './schema.ts';

/**
 * What is wrong with a condition, by the types of what it may read: the workflow's inputs, and the values that were
 * put into it as references. Its cost grows with the condition and with these, not with the workflow.
 */
export function conditionProblem(
  condition: Condition<unknown>,
  inputs: ObjectSchema,
  path: string,
): Problem | undefined {
  const what = `the condition ${JSON.stringify(condition.cel)}`;
  const places: Place = new Map([['inputs', new Map(Object.entries(inputs.properties))]]);
  for (const reference of condition.references) add(places, reference.path, reference.schema);
  const types = new Types(new (loadCel().Environment)());
  for (const [root, place] of places) types.declare(root, place);
  const result = types.environment.check(condition.cel);
  if (!result.valid)
    return { path, message: `${what} is wrong: ${result.error!.summary}`, ...fixOf(result.error!, types.names) };
  if (result.type === 'bool' || result.type === 'dyn') return undefined;
  return { path, message: `${what} is of type ${result.type}, not bool`, fix: 'compare it with something' };
}

/** What is wrong when a condition, with all that it is made of, has one value with two defaults. */
export function defaultsProblem({ cel, references }: Condition<unknown>, path: string): Problem | undefined {
  const defaults = new Map<string, Json>();
  for (const { expression, fallback } of references) {
    if (fallback === undefined) continue;
    const first = defaults.get(expression);
    if (first !== undefined && canonicalJson(first) !== canonicalJson(fallback))
      return {
        path,
        message: `the condition ${JSON.stringify(cel)} has two defaults for ${expression}, ${show(first)} and ${show(fallback)}`,
        fix: 'give it one',
      };
    defaults.set(expression, fallback);
  }
  return undefined;
}

function fixOf({ code, summary }: ParseError | CelTypeError, names: Iterable<string>): { fix?: string } {
  const name = /: (.+)$/.exec(summary)?.[1] ?? '';
  if (code === 'no_such_key' || code === 'unknown_variable') {
    const meant = suggest(name, names);
    const fix = meant?.startsWith('did you mean') ? meant : undefined;
    return { fix: fix ?? 'read inputs as inputs.<name>, and put outputs of steps in as references' };
  }
  if (code === 'no_such_overload' || code === 'no_matching_overload')
    return { fix: 'compare values of one type, or convert with int(), double() or string()' };
  return {};
}

/** What may be read, by name. */
type Place = Map<string, Place | JsonSchema>;

function add(places: Place, [name, ...rest]: readonly string[], schema: JsonSchema): void {
  if (rest.length === 0) return void places.set(name!, schema);
  const known = places.get(name!);
  const inner: Place = known instanceof Map ? known : new Map();
  places.set(name!, inner);
  add(inner, rest, schema);
}

/** Types of CEL for what JSON schemas describe. What they leave open is `dyn`, whose type CEL learns at run time. */
class Types {
  readonly environment: Environment;
  /** What may be read, at whatever place. */
  readonly names = new Set<string>();
  readonly #objects = new Set<string>();

  constructor(environment: Environment) {
    this.environment = environment;
  }

  declare(root: string, place: Place | JsonSchema): void {
    this.names.add(root);
    this.environment.registerVariable(root, this.#ofPlace(place, root));
  }

  #ofPlace(place: Place | JsonSchema, path: string): string {
    if (!(place instanceof Map)) return this.#ofSchema(place, path);
    return this.#object(
      path,
      [...place].map(([name, inner]) => [name, this.#ofPlace(inner, `${path}.${name}`)]),
    );
  }

  #ofSchema(schema: Json | undefined, path: string): string {
    if (!isJsonObject(schema)) return 'dyn';
    if (Array.isArray(schema.anyOf)) {
      const types = new Set(schema.anyOf.map((inner: Json) => this.#ofSchema(inner, path)));
      return types.size === 1 ? [...types][0]! : 'dyn';
    }
    if (schema.type === 'array') return `list<${this.#ofSchema(schema.items, `${path}.items`)}>`;
    if (schema.type === 'object') return this.#ofObject(schema, path);
    return typeof schema.type === 'string' ? (SCALARS[schema.type] ?? 'dyn') : 'dyn';
  }

  #ofObject({ properties, additionalProperties }: JsonSchema, path: string): string {
    if (!isJsonObject(properties) || Object.keys(properties).length === 0)
      return `map<string, ${this.#ofSchema(additionalProperties, `${path}.values`)}>`;
    if (additionalProperties !== undefined && additionalProperties !== false) return 'map<string, dyn>';
    return this.#object(
      path,
      Object.entries(properties).map(([name, inner]) => [name, this.#ofSchema(inner, `${path}.${name}`)]),
    );
  }

  /** The name, which messages tell, is the object's place. */
  #object(path: string, fields: readonly (readonly [string, string])[]): string {
    const place = path.replace(/[^\w.-]/g, '_');
    let name = place;
    for (let count = 2; this.#objects.has(name); count++) name = `${place}-${count}`;
    this.#objects.add(name);
    for (const [field] of fields) this.names.add(field);
    this.environment.registerType(name, { fields: Object.fromEntries(fields) });
    return name;
  }
}

const SCALARS: Readonly<Record<string, string>> = {
  string: 'string',
  integer: 'int',
  number: 'double',
  boolean: 'bool',
  null: 'null',
};
