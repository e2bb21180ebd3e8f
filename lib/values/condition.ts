import { celLiteral } from './cel.ts';
import type { Json } from './json.ts';
import { Reference, type AnyReference } from './reference.ts';
import type { JsonSchema } from './schema.ts';

declare const scopeType: unique symbol;

/**
 * A condition on values of one workflow, for `when` and `branch`. Made by {@link eq} and its like, or written as
 * {@link cel}; carried as CEL, whose types are checked at synth.
 */
export class Condition<Scope = unknown> {
  declare readonly [scopeType]?: () => Scope;
  readonly cel: string;
  readonly references: readonly AnyReference[];

  /** @internal */
  constructor(cel: string, references: readonly AnyReference[]) {
    this.cel = cel;
    this.references = references;
  }
}

/** What two sides of a comparison may be. */
type Comparable = string | number | boolean;
type Side<T, Scope> = Reference<T, Scope> | T;

/** `left == right` */
export const eq = <T extends Comparable | null, Scope>(left: Reference<T, Scope>, right: Side<NoInfer<T>, Scope>) =>
  compare(left, '==', right);
/** `left != right` */
export const ne = <T extends Comparable | null, Scope>(left: Reference<T, Scope>, right: Side<NoInfer<T>, Scope>) =>
  compare(left, '!=', right);
/** `left > right` */
export const gt = <T extends number | string, Scope>(
  left: Reference<T, Scope>,
  right: Side<Widen<NoInfer<T>>, Scope>,
) => compare(left, '>', right);
/** `left >= right` */
export const ge = <T extends number | string, Scope>(
  left: Reference<T, Scope>,
  right: Side<Widen<NoInfer<T>>, Scope>,
) => compare(left, '>=', right);
/** `left < right` */
export const lt = <T extends number | string, Scope>(
  left: Reference<T, Scope>,
  right: Side<Widen<NoInfer<T>>, Scope>,
) => compare(left, '<', right);
/** `left <= right` */
export const le = <T extends number | string, Scope>(
  left: Reference<T, Scope>,
  right: Side<Widen<NoInfer<T>>, Scope>,
) => compare(left, '<=', right);
/** True when the flag is. */
export const isTrue = <Scope>(flag: Reference<boolean, Scope>) => new Condition<Scope>(flag.expression, [flag]);

/** True when all of them are. */
export const and = <Scope>(...conditions: readonly Condition<Scope>[]) => join(conditions, '&&', 'true');
/** True when one of them is. */
export const or = <Scope>(...conditions: readonly Condition<Scope>[]) => join(conditions, '||', 'false');
/** True when the condition is not. */
export const not = <Scope>(condition: Condition<Scope>) =>
  new Condition<Scope>(`!(${condition.cel})`, condition.references);

/**
 * A condition written in CEL. References take their place as what they are called, so that the step waits for them;
 * other values become literals. The text between is CEL as it stands, backslashes included.
 *
 * @example
 * cel`${raw.outputs.rows} > 3 && ${inputs.site}.startsWith("eu-") && ${inputs.mode} in ${['full', 'fast']}`
 *
 * @throws TypeError when a value stands inside a string of the condition, or is no JSON
 */
export function cel<Scope = never>(
  text: TemplateStringsArray,
  ...values: readonly (Reference<unknown, Scope> | Json)[]
): Condition<Scope> {
  const references = values.filter((value) => value instanceof Reference) as AnyReference[];
  let written = text.raw[0]!;
  for (const [index, value] of values.entries()) {
    const name = value instanceof Reference ? value.expression : literal(value as Json);
    if (endsInString(written))
      throw new TypeError(`${name} stands inside a string of the condition; end the string before it and join with +`);
    written += `${name}${text.raw[index + 1]}`;
  }
  return new Condition<Scope>(written.trim(), references);
}

function literal(value: Json): string {
  // What is not there is told with all that is wrong, by the check of types.
  if (value === undefined) return 'undefined';
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${value} is no JSON value`);
  return celLiteral(value);
}

const STRINGS = /"""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\/.*/g;

function endsInString(written: string): boolean {
  return /["']/.test(written.replace(STRINGS, ''));
}

type Widen<T> = T extends number ? number : T extends string ? string : T;

function compare<Scope>(left: Reference<unknown, Scope>, operator: string, right: unknown): Condition<Scope> {
  const name = left.expression;
  if (!(right instanceof Reference))
    return new Condition<Scope>(`${name} ${operator} ${operand(right as Json, left.schema)}`, [left]);
  const other = right as AnyReference;
  // To TypeScript both are numbers; CEL compares an integer to a double only where it learns their types at run time.
  const types = new Set([numberType(left.schema), numberType(other.schema)]);
  const mixed = /^[=!]=$/.test(operator) && types.has('integer') && types.has('number');
  return new Condition<Scope>(`${mixed ? `dyn(${name})` : name} ${operator} ${other.expression}`, [left, other]);
}

function operand(value: Json, schema: JsonSchema): string {
  return celLiteral(value, numberType(schema) === 'integer' ? undefined : 'double');
}

function numberType({ type, anyOf }: JsonSchema): unknown {
  if (!Array.isArray(anyOf)) return type;
  const types = new Set(anyOf.map((schema: JsonSchema) => numberType(schema)));
  return types.size === 1 ? [...types][0] : undefined;
}

function join<Scope>(conditions: readonly Condition<Scope>[], operator: string, empty: string): Condition<Scope> {
  const cel = conditions.map((condition) => `(${condition.cel})`).join(` ${operator} `) || empty;
  return new Condition<Scope>(
    cel,
    conditions.flatMap((condition) => condition.references),
  );
}
