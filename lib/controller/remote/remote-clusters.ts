import type { KubeClient } from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import { keyOf } from '../../kube/objects.ts';
import { namespaces } from '../../kube/resources.ts';
import { Coalescer } from '../coalescer.ts';
import { GraphStore } from '../graph-store.ts';
import type { Logger } from '../log.ts';
import type { Job } from '../objects.ts';
import type { Place } from '../attempts/place.ts';
import { parentOf, RemoteChildren, type Parent } from './remote-children.ts';
import { endLeftovers, isAtWork } from './remote-leftovers.ts';
import { RemoteWatch, type RemoteChild, type RemoteCluster } from './remote-watch.ts';
import type { RunWorker } from '../run/run-worker.ts';
import { backoffMs, type Timing } from '../worker-context.ts';

/** What {@link RemoteClusters} works with. */
export interface RemoteClustersOptions {
  /** Of the cluster of the runs. */
  readonly client: KubeClient;
  /** Whose runs they may be steps of; null means all. */
  readonly namespaces: readonly string[] | null;
  readonly clusters: readonly RemoteCluster[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly timing: Timing;
  /** The Job of a run of this cluster as the watch has it, by its key; asked only after {@link RemoteClusters.tidy} was called. */
  readonly run: (key: string) => Job | undefined;
  /** Who works on a run, by its key, and the uid of its Job. */
  readonly work: (key: string) => { readonly uid: string; readonly worker: Observer } | undefined;
  readonly workers: () => Iterable<Observer>;
  readonly signal: AbortSignal;
}

/** Who works on a run, and is told of what is elsewhere. */
export type Observer = Pick<RunWorker, 'seeStep' | 'seeStepDeleted' | 'sight'>;

/** Who a cluster is: nobody can make another namespace with this one's uid. */
const IDENTITY = 'kube-system';

/**
 * The other clusters that steps may have their runs on: where they are, what is there, and that nothing stays there whose
 * run is gone. A cluster that cannot be reached keeps up nothing but the steps that are there.
 */
export class RemoteClusters {
  readonly #options: RemoteClustersOptions;
  readonly #clusters: ReadonlyMap<string, RemoteCluster>;
  readonly #graphs = new Map<string, GraphStore>();
  readonly #watches = new Map<string, RemoteWatch>();
  readonly #children = new RemoteChildren();
  readonly #tidying: Coalescer;
  #identity: Promise<string> | undefined;
  #trouble: string | undefined;
  #ready = false;

  constructor(options: RemoteClustersOptions) {
    const { clusters, clock, timing, signal, log } = options;
    this.#options = options;
    this.#clusters = new Map(clusters.map((cluster) => [cluster.name, cluster]));
    for (const { name, client } of clusters) this.#graphs.set(name, new GraphStore(client, signal));
    const onFailure = (error: unknown) => log.error('Runs on other clusters cannot be tidied up', { error });
    this.#tidying = new Coalescer({ work: () => this.#tidy(), gapMs: timing.statusGapMs, clock, signal, onFailure });
  }

  /** Where a run has its steps that are on this cluster; nothing without access to it. */
  place(name: string, run: Job): Place | undefined {
    const cluster = this.#clusters.get(name);
    if (cluster === undefined) return undefined;
    const namespace = cluster.namespace ?? run.metadata.namespace!;
    const watch = () => this.#watches.get(watchKey(name, namespace)) ?? this.#watches.get(watchKey(name, null));
    const trouble = () => this.#trouble ?? watch()?.trouble;
    return {
      client: cluster.client,
      graphs: this.#graphs.get(name)!,
      namespace,
      elsewhere: {
        cluster: name,
        get known() {
          return watch()?.known ?? false;
        },
        get trouble() {
          return trouble();
        },
        parentCluster: () => this.#readIdentity(),
      },
    };
  }

  /** What there is of a run, by the uid of its Job. */
  childrenOf(uid: string): readonly RemoteChild[] {
    return this.#children.of(uid);
  }

  /** Follows what is on the other clusters until the signal is aborted. */
  async watch(): Promise<void> {
    const { signal, clusters, clock } = this.#options;
    const parentCluster = await this.#untilKnown();
    const handlers = {
      changed: (child: RemoteChild) => this.#changed(child),
      deleted: (child: RemoteChild) => this.#deleted(child),
      sight: (cluster: string) => this.#sighted(cluster),
      failed: (cluster: string, error: unknown) =>
        this.#options.log.warn('A watch of another cluster failed and is resumed', { cluster, error }),
    };
    for (const cluster of clusters)
      for (const namespace of this.#namespacesOn(cluster)) {
        const watch = new RemoteWatch({ cluster, namespace, parentCluster, clock, handlers });
        this.#watches.set(watchKey(cluster.name, namespace), watch);
        watch.start(signal);
      }
    await Promise.all([...this.#watches.values()].map((watch) => watch.stopped()));
  }

  /** Sees to it, soon, that nothing goes on elsewhere whose run is gone or over. To be called only when all runs are known. */
  tidy(): void {
    this.#ready = true;
    this.#tidying.request();
  }

  #namespacesOn({ namespace }: RemoteCluster): readonly (string | null)[] {
    return namespace === undefined ? (this.#options.namespaces ?? [null]) : [namespace];
  }

  #changed(child: RemoteChild): void {
    this.#children.put(child);
    this.#workerOf(child)?.seeStep(child.job, child.cluster);
    if (this.#ready && !isAtWork(child, (parent) => this.#runOf(parent))) this.tidy();
  }

  #deleted(child: RemoteChild): void {
    this.#children.remove(child);
    this.#workerOf(child)?.seeStepDeleted(child.job, child.cluster);
  }

  #sighted(cluster: string): void {
    for (const worker of this.#options.workers()) worker.sight(cluster);
    if (this.#ready) this.tidy();
  }

  #workerOf({ job }: RemoteChild): Observer | undefined {
    const parent = parentOf(job);
    const work = parent && this.#options.work(keyOf({ metadata: parent }));
    return work?.uid === parent?.uid ? work?.worker : undefined;
  }

  #runOf(parent: Parent): Job | undefined {
    const run = this.#options.run(keyOf({ metadata: parent }));
    return run?.metadata.uid === parent.uid ? run : undefined;
  }

  async #tidy(): Promise<void> {
    const { client, namespaces, log, signal } = this.#options;
    await endLeftovers(this.#children.all(), {
      client,
      namespaces,
      clientOf: (cluster) => this.#clusters.get(cluster)?.client,
      runOf: (parent) => this.#runOf(parent),
      log,
      signal,
    });
  }

  /** Waits for the identity of the own cluster as long as it takes: what is created elsewhere is found again by it. */
  async #untilKnown(): Promise<string> {
    const { clock, log, signal, timing } = this.#options;
    for (let failures = 1; ; failures++) {
      try {
        const identity = await this.#readIdentity();
        this.#trouble = undefined;
        return identity;
      } catch (error) {
        signal.throwIfAborted();
        log.error('The identity of this cluster cannot be read, so no step can run on another one', { error });
        this.#trouble = `runs on other clusters cannot be seen: ${(error as Error).message}`;
        for (const name of this.#clusters.keys()) this.#sighted(name);
      }
      await clock.sleep(backoffMs(failures, timing.maxBackoffMs), signal);
    }
  }

  #readIdentity(): Promise<string> {
    const { client, signal } = this.#options;
    const reading = (this.#identity ??= client.get(namespaces, IDENTITY, { signal }).then(({ metadata }) => {
      if (metadata.uid === undefined) throw new Error(`Namespace ${IDENTITY} has no uid`);
      return metadata.uid;
    }));
    reading.catch(() => (this.#identity = undefined));
    return reading;
  }
}

const watchKey = (cluster: string, namespace: string | null) => `${cluster}/${namespace ?? ''}`;
