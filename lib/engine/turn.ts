import type { AttemptState, Command, RunSpec } from './advance.ts';
import type { Ledger } from './ledger.ts';
import type { Instant, RunState } from './record.ts';

/** One call of `advance`, as the rules of a step kind see it: the run as it stands, one moment, the commands so far. */
export interface Turn {
  readonly now: Instant;
  readonly spec: RunSpec;
  readonly ledger: Ledger;
  readonly commands: Command[];
  readonly state: RunState;
}

/** What an observation says of an attempt, with the step as an index. */
export interface Sighting {
  readonly index: number;
  readonly attempt: number;
  readonly state: AttemptState;
}
