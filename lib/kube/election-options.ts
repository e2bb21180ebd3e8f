import type { RetryEnvironment } from './retry.ts';

/** What an election tells. */
export interface ElectionCallbacks {
  /**
   * This candidate leads. The signal is aborted when it no longer does, or is to end; the lease is kept until the promise
   * settles, unless it is lost.
   */
  onStarted(signal: AbortSignal): void | Promise<void>;
  /** This candidate led and no longer does; what `onStarted` began has ended. */
  onStopped?(): void;
  /** Somebody leads, perhaps this candidate. */
  onNewLeader?(identity: string): void;
  /** A try to get or renew the lease failed; it is tried again. */
  onError?(error: unknown): void;
}

/** Which lease, and how patient the candidates are. All candidates must agree on the times. */
export interface ElectionOptions {
  /** Name of the Lease. */
  readonly name: string;
  /** @default the client's */
  readonly namespace?: string;
  /** Tells the candidates apart: the pod's name, with something random. */
  readonly identity: string;
  /** Others wait so long after the last sign of life of the leader, in milliseconds. @default 15000 */
  readonly leaseDurationMs?: number;
  /** A leader that could not renew for so long stops leading, in milliseconds. @default 10000 */
  readonly renewDeadlineMs?: number;
  /** Between two tries, in milliseconds. @default 2000 */
  readonly retryPeriodMs?: number;
  /** Give the lease back at the end, so that the next replica leads at once. @default true */
  readonly releaseOnCancel?: boolean;
  /** Labels of the Lease if it is created here. */
  readonly labels?: Record<string, string>;
  /** Annotations that the holder writes on the Lease, to tell what it is. @default none */
  readonly annotations?: Record<string, string>;
  /** @default the machine's clock and randomness */
  readonly environment?: RetryEnvironment;
}
