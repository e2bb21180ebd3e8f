import { and, not, type Condition } from '../lib/values/condition.ts';
import { conditionProblem, defaultsProblem } from '../lib/values/condition-check.ts';
import { canonicalJson, type Json } from '../lib/values/json.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import { Reference, type AnyReference, type ArmValue } from '../lib/values/reference.ts';
import { schemaOfValue, type JsonSchema } from '../lib/values/schema.ts';
import type { NoValues } from '../lib/values/shape.ts';
import { foreignProblem, references } from './sources.ts';
import type { AnyWorkflow } from './workflow.ts';

/** The values that an arm of a branch gives, by name: references, and values that are known. */
export type ArmValues<Scope> = Readonly<Record<string, Reference<unknown, Scope> | Json>>;

/** What the arm that runs gives, to be passed on like outputs of a step. */
export type BranchValues<T, Scope> = { readonly [Name in keyof T]: Reference<T[Name], Scope> };

/** A branch without arms. */
export interface BranchStart<Scope> {
  /** The arm that runs if the condition holds: the steps that its function makes. What it returns are its values. */
  readonly if: <const R extends ArmValues<Scope> | void>(
    condition: Condition<Scope>,
    arm: () => R,
  ) => BranchArms<Given<R>, Scope>;
}

/** The values of a branch, and its further arms. Every arm gives values of the same names. */
export type BranchArms<T, Scope> = BranchValues<T, Scope> & {
  /** An arm that runs if no earlier one does and the condition holds. */
  readonly elseIf: <const R extends SameNames<T, Scope>>(
    condition: Condition<Scope>,
    arm: () => R & OnlyNames<T, R>,
  ) => BranchArms<Joined<T, R>, Scope>;
  /** The arm that runs if no other one does. Without it, there may be no values: who takes them without a default is skipped then. */
  readonly else: <const R extends SameNames<T, Scope>>(
    arm: () => R & OnlyNames<T, R>,
  ) => BranchValues<Joined<T, R>, Scope>;
};

type Given<R> = R extends object ? { readonly [Name in keyof R]: ValueIn<R[Name]> } : NoValues;
type ValueIn<V> = V extends Reference<infer T, infer _Scope> ? T : Mutable<V>;
type Mutable<V> = V extends object ? { -readonly [Field in keyof V]: Mutable<V[Field]> } : V;
type SameNames<T, Scope> = [keyof T] extends [never]
  ? ArmValues<Scope> | void
  : { readonly [Name in keyof T]: Reference<unknown, Scope> | Json };
type OnlyNames<T, R> = R extends object ? { readonly [Name in Exclude<keyof R, keyof T>]: never } : unknown;
type Joined<T, R> = { readonly [Name in keyof T]: T[Name] | (Name extends keyof R ? ValueIn<R[Name]> : never) };

interface Arm {
  /** What the author called for it with, such as `elseIf[0]`. */
  readonly label: string;
  /** The author's condition; left out for `else`. */
  readonly asked?: Condition<never>;
  /** Whether it runs. */
  readonly condition: Condition<never>;
  readonly values: Readonly<Record<string, ArmValue>>;
}

/** @internal Arms of which at most one runs, as a workflow keeps them. */
export class Branch {
  readonly name: string;
  readonly #workflow: AnyWorkflow;
  readonly #arms: Arm[] = [];

  constructor(workflow: AnyWorkflow, name: string) {
    this.#workflow = workflow;
    this.name = name;
  }

  start<Scope>(): BranchStart<Scope> {
    const start = { if: (condition: Condition<never>, arm: () => unknown) => this.#with([], 'if', arm, condition) };
    return start as unknown as BranchStart<Scope>;
  }

  /** The values of the arms and one more, with what adds further ones. */
  #with(earlier: readonly Arm[], label: string, build: () => unknown, asked?: Condition<never>): object {
    const parts = [...earlier.map((arm) => not(arm.asked!)), ...(asked === undefined ? [] : [asked])];
    const { result, steps, condition } = this.#workflow.within(parts.length === 1 ? parts[0]! : and(...parts), build);
    const given = Object.entries((result ?? {}) as object).filter(([, value]) => value !== undefined);
    const values = given.map(([name, value]: [string, unknown]): [string, ArmValue] => [
      name,
      isOutputOf(value, steps) ? { given: value } : { given: value, condition },
    ]);
    const arm: Arm = { label, condition, values: Object.fromEntries(values), ...(asked !== undefined && { asked }) };
    this.#arms.push(arm);
    const arms = [...earlier, arm];
    const joined = this.#join(arms);
    if (asked === undefined) return joined;
    return Object.assign(Object.create(this.#further(arms)) as object, joined);
  }

  #further(arms: readonly Arm[]): object {
    return {
      elseIf: (condition: Condition<never>, build: () => unknown) =>
        this.#with(arms, `elseIf[${arms.length - 1}]`, build, condition),
      else: (build: () => unknown) => this.#with(arms, 'else', build),
    };
  }

  #join(arms: readonly Arm[]): Record<string, AnyReference> {
    const names = Object.keys(arms[0]!.values);
    return Object.fromEntries(
      names.map((name) => {
        const values = arms.flatMap((arm) => arm.values[name] ?? []);
        const origin = { branch: this.name, value: name, arms: values };
        return [name, new Reference(this.#workflow, origin, anyOf(values.map(({ given }) => schemaOf(given))))];
      }),
    );
  }

  *problems(): Generator<Problem> {
    const path = `branch ${this.name}`;
    const [first] = this.#arms;
    if (first === undefined) return yield { path, message: 'has no arm', fix: 'add one with .if(condition, ...)' };
    const names = Object.keys(first.values);
    for (const name of names.filter((one) => FURTHER.includes(one)))
      yield { path, message: `gives a value named ${show(name)}, which adds an arm`, fix: 'rename it' };
    for (const { label, asked, condition, values } of this.#arms) {
      const at = `${path}.${label}`;
      const own = Object.keys(values);
      if (new Set(own).symmetricDifference(new Set(names)).size > 0)
        yield {
          path: at,
          message: `gives ${listed(own)}, but the first arm gives ${listed(names)}`,
          fix: 'give values of the same names in every arm',
        };
      for (const [name, { given }] of Object.entries(values)) yield* this.#foreign(references(given), `${at}.${name}`);
      const twice = defaultsProblem(condition, at);
      if (twice !== undefined) yield twice;
      if (asked === undefined) continue;
      yield* this.#foreign(asked.references, at);
      const problem = conditionProblem(asked, this.#workflow.inputSchema, at);
      if (problem !== undefined) yield problem;
    }
  }

  *#foreign(read: Iterable<AnyReference>, path: string): Generator<Problem> {
    for (const reference of read) yield* foreignProblem(reference, this.#workflow, path);
  }
}

const FURTHER = ['elseIf', 'else'];

const listed = (names: readonly string[]) => (names.length === 0 ? 'nothing' : names.join(', '));

// What a step of an arm gives is there only if the arm runs, since its steps have the arm's condition.
function isOutputOf(value: unknown, steps: ReadonlySet<string>): boolean {
  if (!(value instanceof Reference)) return false;
  const { origin, fallback } = value as AnyReference;
  return 'step' in origin && fallback === undefined && steps.has(origin.step);
}

function schemaOf(given: unknown): JsonSchema {
  if (given instanceof Reference) return given.schema;
  return references(given).next().done === true ? schemaOfValue(given as Json) : {};
}

function anyOf(schemas: readonly JsonSchema[]): JsonSchema {
  const distinct = new Map(schemas.map((schema) => [canonicalJson(schema), schema]));
  return distinct.size === 1 ? schemas[0]! : { anyOf: [...distinct.values()] };
}
