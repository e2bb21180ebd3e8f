import type { Condition } from './condition.ts';
import type { Json } from './json.ts';
import type { JsonSchema } from './schema.ts';

declare const valueType: unique symbol;
declare const scopeType: unique symbol;

/** Where a referenced value comes from. */
export type Origin =
  | { readonly input: string }
  | { readonly step: string; readonly output: string }
  | { readonly status: string; readonly field: 'phase' | 'reason' | 'message' | 'attempt' }
  | BranchValue
  /** In a map step: the item of the list that the input goes over. */
  | { readonly item: string };

/** A value that each arm of a branch gives, one of which runs. */
export interface BranchValue {
  readonly branch: string;
  readonly value: string;
  readonly arms: readonly ArmValue[];
}

/** What an arm gives: a value, a reference, or a list or object with references in it. */
export interface ArmValue {
  readonly given: unknown;
  /** Whether the arm runs. Left out where the value is there only if it does. */
  readonly condition?: Condition<unknown>;
}

/**
 * A value that is known only when the workflow runs: one of its inputs, an output of one of its steps, or how a step ended.
 * `T` is the value's type; `Scope` stands for the workflow, so that a reference does not fit into another one. Where
 * `Scope` is `never` no reference fits; what is made of values alone fits everywhere.
 */
export class Reference<T, Scope = unknown> {
  declare readonly [valueType]?: T;
  declare readonly [scopeType]?: () => Scope;
  /** The workflow that the value belongs to. */
  readonly owner: object;
  readonly origin: Origin;
  readonly schema: JsonSchema;
  /** Takes the value's place when there is none. */
  readonly fallback?: Json;

  /** @internal */
  constructor(owner: object, origin: Origin, schema: JsonSchema, fallback?: Json) {
    this.owner = owner;
    this.origin = origin;
    this.schema = schema;
    if (fallback !== undefined) this.fallback = fallback;
  }

  /**
   * The same value, or `fallback` when there is none: an optional input was not given, or the step of an output gave none,
   * because its own `when` was false, it failed with `continueOnFailure`, or the output is optional; no arm of a branch ran.
   */
  or<F extends T & (Json | undefined)>(fallback: F): Reference<T, Scope> {
    return new Reference<T, Scope>(this.owner, this.origin, this.schema, fallback as Json);
  }

  /** Its place among the values of a run, such as `steps`, `extract`, `outputs`, `rows`. */
  get path(): readonly [root: string, ...names: string[]] {
    const { origin } = this;
    if ('input' in origin) return ['inputs', origin.input];
    if ('status' in origin) return ['steps', origin.status, 'status', origin.field];
    if ('item' in origin) return ['inputs', origin.item];
    if ('branch' in origin) return ['branches', origin.branch, origin.value];
    return ['steps', origin.step, 'outputs', origin.output];
  }

  /** `inputs.site`, `steps.extract.outputs.rows` or `branches.price.total`: its name in conditions and messages. */
  get expression(): string {
    const [root, ...names] = this.path;
    return `${root}${names.map(member).join('')}`;
  }

  /** Refuses to become text: the value does not exist yet. */
  toString(): string {
    throw new NotKnownError(this.expression);
  }
}

/** Code asked for the value of a reference, which does not exist yet. */
export class NotKnownError extends TypeError {
  override readonly name = 'NotKnownError';

  constructor(expression: string) {
    super(
      `${expression} is not known before the workflow runs, so it cannot be part of a string; pass it to a step as an input of its own`,
    );
  }
}

/** A reference of whatever workflow, for code that only carries it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a scope fits no other on purpose; only `any` fits all
export type AnyReference = Reference<unknown, any>;

function member(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}
