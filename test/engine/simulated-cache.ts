import type { KeptResult } from '../../lib/engine/kept-result.ts';
import { plannedItem, type Kept, type PlannedStep } from './plans.ts';
import { T0 } from './scenario.ts';

/** How old a result may be that a step takes. */
export const TTL_SECONDS = 24 * 3600;

/** Results that outlive the run, and that anybody may delete at any time. */
export class SimulatedCache {
  /** What there was before the run. */
  readonly #before = new Map<string, KeptResult>();
  /** What the run kept. */
  readonly kept = new Map<string, KeptResult>();
  readonly #keys = new Map<string, string>();

  constructor(steps: readonly PlannedStep[]) {
    const all = steps.flatMap((step) => [
      step,
      ...(step.items?.outcomes ?? []).map((_, item) => plannedItem(step, item)),
    ]);
    for (const { name, cached, rows, items } of all) {
      const result = items === undefined && cached !== undefined ? resultOf(cached, rows) : undefined;
      if (result !== undefined) this.#before.set(name, result);
    }
  }

  /** `only`: whether one shell decides, so that a step asks for the same whenever it asks. */
  find(step: string, key: string, only: boolean): KeptResult | undefined {
    const before = this.#keys.get(step);
    if (only && before !== undefined && before !== key) throw new Error(`${step} asks for another result than before`);
    this.#keys.set(step, key);
    return this.kept.get(key) ?? this.#before.get(step);
  }

  forget(step: string, key: string): void {
    this.#before.delete(step);
    this.kept.delete(key);
  }
}

function resultOf(cached: Kept, rows: number): KeptResult | undefined {
  const source = { run: 'before', step: 'some', at: T0 - 60_000 };
  switch (cached) {
    case 'usable':
      return { ...source, outputs: { rows } };
    case 'too old':
      return { ...source, outputs: { rows }, at: T0 - (TTL_SECONDS + 3600) * 1000 };
    case 'misfit':
      return { ...source, outputs: { rows: 'many' } };
    case 'nothing':
      return undefined;
  }
}
