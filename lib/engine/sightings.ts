import type { AttemptState, Observation } from './advance.ts';
import { kindOf } from './kinds.ts';
import type { Ledger } from './ledger.ts';
import type { Sighting } from './turn.ts';

const stages: Readonly<Record<AttemptState['kind'], number>> = {
  unseen: 0,
  pending: 1,
  running: 2,
  succeeded: 3,
  failed: 4,
};

/** What was seen of attempts, in the order in which it happened, so that a batch in any order says the same. */
export function sightingsOf(ledger: Ledger, observations: readonly Observation[]): Sighting[] {
  const sightings: Sighting[] = [];
  for (const observation of observations) {
    if (!('state' in observation)) continue;
    const { step, attempt, state } = observation;
    const index = ledger.find(step);
    if (index !== undefined && kindOf(ledger.step(index).node).attempts) sightings.push({ index, attempt, state });
  }
  // That nothing needs a service any more is known before how it ended: somebody may have stopped it for that, and not lived to write it down.
  const isService = ({ index }: Sighting) => Number(ledger.step(index).node.kind === 'service');
  return sightings.sort(
    (a, b) => isService(a) - isService(b) || a.attempt - b.attempt || stages[a.state.kind] - stages[b.state.kind],
  );
}

/** An attempt that has ended does not run again, in whatever order it is told. */
export function later(known: AttemptState | undefined, seen: AttemptState): AttemptState {
  return known?.kind === 'succeeded' || known?.kind === 'failed' ? known : seen;
}
