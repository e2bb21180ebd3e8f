import type { MapStep } from '../graph/graph.ts';
import type { StatusField } from '../graph/value-source.ts';
import type { Json } from '../values/json.ts';
import { evaluateCondition } from './conditions.ts';
import { itemLists, itemValues } from './item-values.ts';
import type { StepRecord } from './record.ts';
import type { Scope } from './resolve.ts';
import type { Turn } from './turn.ts';

/** The values that the steps of a run may refer to, as they are now. */
export function scopeOf({ spec, ledger }: Pick<Turn, 'ledger' | 'spec'>): Scope {
  const scope: Scope = {
    inputs: spec.inputs,
    outputs(name) {
      const step = ledger.topology.byName.get(name);
      return step === undefined ? undefined : ledger.outputsOf(step.index);
    },
    lacks(name, output) {
      const outputs = scope.outputs(name);
      const kind = ledger.topology.byName.get(name)?.node.kind;
      // What stands for other steps leaves nothing out: it gives what they gave.
      const standsForSteps = kind === 'group' || kind === 'run';
      // Who would have taken the host of a service that was stopped before it was ready has another reason not to run.
      if (kind === 'service' && outputs === undefined) return scope.status(name)?.phase !== 'Succeeded';
      return outputs === undefined || (standsForSteps && !Object.hasOwn(outputs, output));
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

/** The same, as a step has them that may be an item of a map. */
export function scopeOfStep(turn: Pick<Turn, 'ledger' | 'spec'>, index: number): Scope {
  const scope = scopeOf(turn);
  const items = turn.ledger.items.owner(index);
  if (items === undefined) return scope;
  const lists = itemLists(turn.ledger.step(items.map).node as MapStep, scope) as Record<string, Json[]>;
  return { ...scope, item: itemValues(lists, index - items.first) };
}

/** How a step ended, as values for others. */
export type StepStatus = Readonly<Record<Exclude<StatusField, 'attempt'>, string>> & { readonly attempt: number };

function statusOf({ phase, reason, message = '', attempts }: StepRecord): StepStatus {
  return { phase, reason, message, attempt: attempts.at(-1)?.number ?? 0 };
}
