import { Reference, type AnyReference } from './reference.ts';
import type { JsonSchema } from './schema.ts';

declare const scopeType: unique symbol;

/** A condition on values of one workflow, for `when`. Made by {@link eq} and its like; carried as CEL. */
export class Condition<Scope = unknown> {
  declare readonly [scopeType]?: (scope: Scope) => Scope;
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

type Widen<T> = T extends number ? number : T extends string ? string : T;

function compare<Scope>(left: Reference<unknown, Scope>, operator: string, right: unknown): Condition<Scope> {
  const references = right instanceof Reference ? [left, right] : [left];
  return new Condition<Scope>(
    `${left.expression} ${operator} ${operand(right, left.schema)}`,
    references as AnyReference[],
  );
}

// JSON's literals are CEL's, except that CEL tells integers (3) from doubles (3.0).
function operand(value: unknown, { type }: JsonSchema): string {
  if (value instanceof Reference) return value.expression;
  if (typeof value === 'number' && Number.isInteger(value) && type !== 'integer') return value.toFixed(1);
  return JSON.stringify(value);
}

function join<Scope>(conditions: readonly Condition<Scope>[], operator: string, empty: string): Condition<Scope> {
  const cel = conditions.map((condition) => `(${condition.cel})`).join(` ${operator} `) || empty;
  return new Condition<Scope>(
    cel,
    conditions.flatMap((condition) => condition.references),
  );
}
