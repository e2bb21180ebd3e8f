import { statusFields, type StatusField } from '../lib/graph/value-source.ts';
import { Reference } from '../lib/values/reference.ts';
import type { JsonSchema } from '../lib/values/schema.ts';

/**
 * How a step ended, as values for other steps. Taking one waits for the end, whatever it is; it always has a value.
 * `reason` is one of the engine's reasons, such as `OOMKilled`; `message` says more and may be empty; `attempt` is the
 * number of the last attempt, 0 if there was none.
 */
export interface StepStatus<Scope> {
  readonly phase: Reference<'Succeeded' | 'Failed' | 'Skipped' | 'Cancelled', Scope>;
  readonly reason: Reference<string, Scope>;
  readonly message: Reference<string, Scope>;
  readonly attempt: Reference<number, Scope>;
}

const schemas: Readonly<Record<StatusField, JsonSchema>> = {
  phase: { type: 'string', enum: ['Succeeded', 'Failed', 'Skipped', 'Cancelled'] },
  reason: { type: 'string' },
  message: { type: 'string' },
  attempt: { type: 'integer' },
};

/** References to a step's end. */
export function stepStatus<Scope>(owner: object, step: string): StepStatus<Scope> {
  return Object.fromEntries(
    statusFields.map((field) => [field, new Reference(owner, { status: step, field }, schemas[field])]),
  ) as unknown as StepStatus<Scope>;
}
