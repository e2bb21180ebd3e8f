import type { KubeClient } from '../../../kube/client.ts';
import { isForbidden } from '../../../kube/errors.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import { Reflector } from '../../../kube/reflector.ts';
import type { ReflectorOptions } from '../../../kube/reflector-options.ts';
import type { Resource } from '../../../kube/resources.ts';
import { openCluster, problemOf, type FleetCluster, type ReachOptions } from './fleet-clusters.ts';

/** A cluster that is not heard. */
export interface LostCluster {
  readonly cluster: string;
  readonly problem: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** Makes a copy of a collection on one cluster that is followed until the end; of each resource one. */
export type Follow = <T extends KubeObject>(of: Resource, options?: FollowOptions<T>) => Reflector<T>;

export interface FollowOptions<T extends KubeObject> extends ReflectorOptions<T> {
  /** Those who may not see the collection do without it. @default the cluster counts as lost to them */
  readonly mayBeForbidden?: boolean;
}

/** Follows several clusters. Those that cannot be reached are tried again until the end. */
export class FleetWatch {
  readonly #options: ReachOptions;
  readonly #tell: (cluster: string, lost: LostCluster | undefined) => void;
  readonly #lost = new Map<string, LostCluster>();

  /** @param tell called when a cluster is lost, and, with nothing, when it is heard again */
  constructor(options: ReachOptions, tell: (cluster: string, lost: LostCluster | undefined) => void) {
    this.#options = options;
    this.#tell = tell;
  }

  /** The clusters that are not heard now. */
  get lost(): readonly LostCluster[] {
    return [...this.#lost.values()];
  }

  /** Until the signal is aborted; `begin` says for each cluster what is followed there. */
  async run(
    clusters: readonly FleetCluster[],
    begin: (follow: Follow, cluster: FleetCluster) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    await Promise.all([aborted, ...clusters.map((cluster) => this.#follow(cluster, begin, signal))]);
  }

  async #follow(
    cluster: FleetCluster,
    begin: (follow: Follow, cluster: FleetCluster) => void,
    signal: AbortSignal,
  ): Promise<void> {
    let client: KubeClient;
    try {
      // Reflectors try again themselves; a client that does, too, would keep from telling that it does.
      client = await openCluster(cluster, this.#options, { timeoutMs: 10_000, retry: { attempts: 1 } });
    } catch (error) {
      return this.#note(cluster.name, problemOf(error));
    }
    const reflectors: Pick<Reflector, 'start' | 'stopped'>[] = [];
    const deaf = new Set<object>();
    const follow: Follow = <T extends KubeObject>(
      of: Resource,
      { mayBeForbidden, ...options }: FollowOptions<T> = {},
    ) => {
      const reflector = new Reflector<T>(client, of, {
        ...options,
        onWatching: () => {
          deaf.delete(of);
          if (deaf.size === 0) this.#note(cluster.name, undefined);
        },
        onError: (error) => {
          if (mayBeForbidden && isForbidden(error)) return;
          deaf.add(of);
          this.#note(cluster.name, error instanceof Error ? error.message : String(error));
        },
      });
      reflectors.push(reflector);
      return reflector;
    };
    begin(follow, cluster);
    for (const reflector of reflectors) reflector.start(signal);
    await Promise.all(reflectors.map((reflector) => reflector.stopped()));
    await client.close();
  }

  #note(cluster: string, problem: string | undefined): void {
    const known = this.#lost.get(cluster);
    if (problem === undefined) {
      if (this.#lost.delete(cluster)) this.#tell(cluster, undefined);
      return;
    }
    this.#lost.set(cluster, { cluster, problem, since: known?.since ?? Date.now() });
    if (known === undefined) this.#tell(cluster, this.#lost.get(cluster));
  }
}
