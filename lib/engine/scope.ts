import type { Scope } from './resolve.ts';
import type { Turn } from './turn.ts';

/** The values that the steps of a run may refer to, as they are now. */
export function scopeOf({ spec, ledger }: Pick<Turn, 'ledger' | 'spec'>): Scope {
  return {
    inputs: spec.inputs,
    outputs(name) {
      const step = ledger.topology.byName.get(name);
      return step === undefined ? undefined : ledger.of(step.index).outputs;
    },
  };
}
