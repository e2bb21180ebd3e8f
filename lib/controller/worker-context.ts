import type { LockTable } from '../engine/lock-table.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import type { EventNote } from '../kube/events.ts';
import type { GraphStore } from './graph-store.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Job } from './objects.ts';
import type { ResultCache } from './result-cache.ts';
import type { RemoteClusters } from './remote/remote-clusters.ts';
import type { Mode } from './run-job.ts';

/** The part of a client that runs need. */
export type RunClient = Pick<KubeClient, 'get' | 'list' | 'create' | 'patch' | 'delete'>;

/** What the workers of all runs share. */
export interface WorkerContext {
  readonly client: RunClient;
  readonly graphs: GraphStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly mode: Mode;
  /** Tells people about a run, as an Event on its Job. */
  readonly tell: (run: Job, note: EventNote) => void;
  readonly timing: Timing;
  readonly results: ResultCache;
  /** Where steps may have their runs beside this cluster. Left out when nothing else can be reached. */
  readonly remotes?: Pick<RemoteClusters, 'place' | 'childrenOf'>;
  /** What the runs share. */
  readonly locks: LockTable;
}

/** How patient the controller is, in milliseconds. */
export interface Timing {
  /** Between two patches of a run's record. What is lost in a crash is seen again from the pods. */
  readonly recordGapMs: number;
  /** Between two writes of a run's status. */
  readonly statusGapMs: number;
  /** For objects that may be applied after the run that needs them. */
  readonly missingMs: number;
  /** The longest wait between two tries of a creation that cannot succeed for now. */
  readonly maxBackoffMs: number;
  /** A created attempt of which the watch says nothing for so long is looked up. */
  readonly auditMs: number;
  /** Between two looks for kept results that are too old. */
  readonly sweepMs: number;
  /** After the first failed delivery of a notification; the wait doubles from then on. */
  readonly notifyMs: number;
}

export const defaultTiming: Timing = {
  recordGapMs: 100,
  statusGapMs: 1_000,
  missingMs: 30_000,
  maxBackoffMs: 15_000,
  auditMs: 30_000,
  sweepMs: 3_600_000,
  notifyMs: 1_000,
};

/** The wait after the n-th failure in a row. */
export function backoffMs(failures: number, maxMs: number): number {
  const step = Math.min(maxMs, 200 * 2 ** Math.min(failures - 1, 20));
  return step / 2 + (step / 2) * Math.random();
}
