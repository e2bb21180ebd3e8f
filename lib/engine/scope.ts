import type { StatusField } from '../graph/graph.ts';
import { evaluateCondition } from './conditions.ts';
import type { StepRecord } from './record.ts';
import type { Scope } from './resolve.ts';
import type { Turn } from './turn.ts';

/** The values that the steps of a run may refer to, as they are now. */
export function scopeOf({ spec, ledger }: Pick<Turn, 'ledger' | 'spec'>): Scope {
  const scope: Scope = {
    inputs: spec.inputs,
    outputs(name) {
      const step = ledger.topology.byName.get(name);
      return step === undefined ? undefined : ledger.of(step.index).outputs;
    },
    status(name) {
      const step = ledger.topology.byName.get(name);
      return step === undefined ? undefined : statusOf(ledger.of(step.index));
    },
    holds(condition) {
      const result = evaluateCondition(condition, ledger.topology, scope);
      return 'holds' in result && result.holds;
    },
  };
  return scope;
}

/** How a step ended, as values for others. */
export type StepStatus = Readonly<Record<Exclude<StatusField, 'attempt'>, string>> & { readonly attempt: number };

function statusOf({ phase, reason, message = '', attempts }: StepRecord): StepStatus {
  return { phase, reason, message, attempt: attempts.at(-1)?.number ?? 0 };
}
