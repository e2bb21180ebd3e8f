import type { Json } from '../values/json.ts';
import type { JsonSchema } from '../values/schema.ts';

/** Where a value comes from. Exactly one of the members. */
export type ValueSource =
  | { readonly value: Json }
  /** A workflow input; `default` takes its place when it was not given. */
  | { readonly input: string; readonly default?: Json }
  /** An output of a step; `default` takes its place when the step gave none: its `when` was false, it failed with `continueOnFailure`, or the output is optional. */
  | { readonly step: string; readonly output: string; readonly default?: Json }
  /** How a step ended. It always has a value: who takes it waits for the end, whatever that is. */
  | { readonly status: string; readonly field: StatusField }
  /** In a map step: the item of the list that the input goes over. */
  | { readonly item: string }
  | { readonly list: readonly ValueSource[] }
  | { readonly fields: Readonly<Record<string, ValueSource>> }
  /** The first of them that has a value, such as what the arms of a branch give. Who takes it waits for all of them and needs one. */
  | { readonly first: readonly ValueSource[]; readonly default?: Json }
  /** A value that counts only if a condition holds. */
  | { readonly if: ValueCondition; readonly then: ValueSource }
  /** A value as text; `literal`: written so that a kubelet gives it back unchanged, whatever `$(...)` is in it. */
  | { readonly text: ValueSource; readonly literal?: boolean };

/** What a step's end is made of: `attempt` is the number of its last attempt, 0 without one; `message` may be empty. */
export const statusFields = ['phase', 'reason', 'message', 'attempt'] as const;
export type StatusField = (typeof statusFields)[number];

/**
 * A condition on values, in CEL, over `inputs.<name>`, `steps.<step>.outputs.<name>`, `steps.<step>.status.<field>` and
 * `branches.<branch>.<value>`.
 */
export interface ValueCondition {
  readonly cel: string;
  /** The steps whose outputs it reads and cannot do without: they are data edges. */
  readonly steps: readonly string[];
  /** The steps whose ends it reads. @default none */
  readonly statuses?: readonly string[];
  /** What else it reads: values that have a default or are made of several. @default nothing */
  readonly values?: readonly ConditionValue[];
}

/** A value that a condition reads. */
export interface ConditionValue {
  /** Its place in the condition, such as `steps`, `extract`, `outputs`, `rows`. */
  readonly at: readonly string[];
  readonly source: ValueSource;
  readonly schema: JsonSchema;
}
