import type { GraphStore } from '../graph-store.ts';
import type { RunClient } from '../worker-context.ts';

/** Where the object of an attempt is: with its run, or, for a run of its own, perhaps on another cluster. */
export interface Place {
  readonly client: RunClient;
  readonly graphs: GraphStore;
  readonly namespace: string;
  /** Left out on the cluster of the run. */
  readonly elsewhere?: Elsewhere;
}

/** Another cluster, as the run of a step sees it. */
export interface Elsewhere {
  /** By which the graph names it. */
  readonly cluster: string;
  /** Whether all that is there has been seen. */
  readonly known: boolean;
  /** Since when and why nobody can look there, in a sentence; nothing when one can. */
  readonly trouble: string | undefined;
  /** What tells the cluster of the run from all others. */
  parentCluster(): Promise<string>;
}
