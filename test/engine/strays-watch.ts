import { isFinal } from '../../lib/engine/phases.ts';
import type { Instant } from '../../lib/engine/record.ts';
import type { Run } from '../../lib/engine/run.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';

/** For how long a leader may take to see a pod that should not live and to end it, whatever is lost and refused: a list, a few requests, the pod's grace. */
const LONGEST = 45_000;

/**
 * What holds whoever leads, and however many do: of the attempts of one step at most one lives, and none of a step that has ended, for
 * longer than it takes to see and end it.
 */
export class StraysWatch {
  readonly #cluster: SimulatedCluster;
  /** Since when something is as it should not be. */
  #since = new Map<string, Instant>();

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
  }

  /** To be told of every moment. `run` is what the leader knows; nothing while nobody leads. */
  check(run: Run | undefined): void {
    const { now } = this.#cluster;
    const since = new Map<string, Instant>();
    for (const wrong of this.#wrong(run)) {
      const from = this.#since.get(wrong) ?? now;
      if (now - from > LONGEST) throw new Error(wrong);
      since.set(wrong, from);
    }
    this.#since = since;
  }

  *#wrong(run: Run | undefined): Generator<string> {
    const seen = new Set<string>();
    for (const { step, attempt } of this.#cluster.live()) {
      if (seen.has(step)) yield `two attempts of ${step} live`;
      seen.add(step);
      if (run !== undefined && isFinal(run.step(step).phase))
        yield `attempt ${attempt} of ${step} lives, which has ended`;
    }
  }
}
