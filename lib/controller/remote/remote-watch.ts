import { labels, MANAGED_BY } from '../../graph/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import { ConnectionError } from '../../kube/errors.ts';
import { Reflector } from '../../kube/reflector.ts';
import { jobs } from '../../kube/resources.ts';
import type { Job } from '../objects.ts';
import { slimJob } from '../transform.ts';

/** Another cluster that steps may have their runs on. */
export interface RemoteCluster {
  /** As graphs name it. */
  readonly name: string;
  readonly client: KubeClient;
  /** Where the runs are there. @default in the namespace of that name in which the run around it is here */
  readonly namespace?: string;
}

/** A run on another cluster that is a step of one of this cluster. */
export interface RemoteChild {
  readonly cluster: string;
  readonly job: Job;
}

/** What a {@link RemoteWatch} tells. */
export interface RemoteHandlers {
  readonly changed: (child: RemoteChild) => void;
  /** It is gone; this is its last known state. */
  readonly deleted: (child: RemoteChild) => void;
  /** All that is there has been seen, or nobody can look there, or one can again. */
  readonly sight: (cluster: string) => void;
  readonly failed: (cluster: string, error: unknown) => void;
}

/** What is watched, and for whom. */
export interface RemoteWatchOptions {
  readonly cluster: RemoteCluster;
  /** null means all. */
  readonly namespace: string | null;
  /** What tells the cluster of the runs around these from all others. */
  readonly parentCluster: string;
  readonly clock: Clock;
  readonly handlers: RemoteHandlers;
}

/** So many failures in a row are no mere hiccup: API servers break watches when they restart. */
const FAILURES = 2;

/** Follows the runs on another cluster that are steps of runs of this one, and knows whether it can. */
export class RemoteWatch {
  readonly #options: RemoteWatchOptions;
  readonly #reflector: Reflector<Job>;
  #failures = 0;
  #failedAt = 0;
  #trouble: string | undefined;
  #known = false;

  constructor(options: RemoteWatchOptions) {
    const { cluster, namespace, parentCluster, handlers } = options;
    this.#options = options;
    this.#reflector = new Reflector<Job>(cluster.client, jobs, {
      namespace,
      labelSelector: `${labels.managedBy}=${MANAGED_BY},${labels.parentCluster}=${parentCluster}`,
      transform: slimJob,
      onChange: (job) => handlers.changed({ cluster: cluster.name, job }),
      onDelete: (job) => handlers.deleted({ cluster: cluster.name, job }),
      onSynced: () => this.#synced(),
      onWatching: () => this.#watching(),
      onError: (error) => this.#failed(error),
    });
  }

  /** Whether all that is there has been seen once. */
  get known(): boolean {
    return this.#known;
  }

  /** Since when and why nobody can look there, in a sentence; nothing when one can. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Begins, and goes on until the signal is aborted. */
  start(signal: AbortSignal): void {
    this.#reflector.start(signal);
  }

  stopped(): Promise<void> {
    return this.#reflector.stopped();
  }

  #synced(): void {
    this.#known = true;
    this.#options.handlers.sight(this.#options.cluster.name);
  }

  #watching(): void {
    this.#failures = 0;
    if (this.#trouble === undefined) return;
    this.#trouble = undefined;
    this.#options.handlers.sight(this.#options.cluster.name);
  }

  #failed(error: unknown): void {
    const { cluster, clock, handlers } = this.#options;
    handlers.failed(cluster.name, error);
    this.#failures += 1;
    if (this.#failures === 1) this.#failedAt = clock.now();
    // Told once: the errors that follow say the same in other words, and each would be written into records.
    if (this.#failures < FAILURES || this.#trouble !== undefined) return;
    const since = `since ${new Date(this.#failedAt).toISOString()}: ${(error as Error).message}`;
    this.#trouble =
      error instanceof ConnectionError
        ? `cluster ${cluster.name} cannot be reached ${since}`
        : `runs on cluster ${cluster.name} cannot be seen ${since}`;
    handlers.sight(cluster.name);
  }
}
