import type { AttemptState } from './advance.ts';
import type { Sighting } from './turn.ts';

const stages: Readonly<Record<AttemptState['kind'], number>> = { pending: 0, running: 1, succeeded: 2, failed: 3 };

/** The order in which things happened. */
export function byTime(a: Sighting, b: Sighting): number {
  return a.attempt - b.attempt || stages[a.state.kind] - stages[b.state.kind];
}

/** An attempt that has ended does not run again, in whatever order it is told. */
export function later(known: AttemptState | undefined, seen: AttemptState): AttemptState {
  return known?.kind === 'succeeded' || known?.kind === 'failed' ? known : seen;
}
