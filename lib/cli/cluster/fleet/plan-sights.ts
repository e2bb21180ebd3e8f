import { failoverOf, PLANS, type PlanObject } from '../../../fleet/failover/failover-record.ts';
import type { Sight } from '../../../fleet/failover/failover-moves.ts';
import type { Side } from '../../../fleet/failover/hand-over.ts';
import { planKey, planOfKey, type Placement } from '../../../graph/placement.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { cronJobs } from '../../../kube/resources.ts';
import { openCluster, problemOf, type FleetCluster, type ReachOptions } from './fleet-clusters.ts';

interface SeenCluster {
  readonly client?: KubeClient;
  /** By their keys in the placement. */
  readonly plans: ReadonlyMap<string, PlanObject>;
  /** Why it could not be looked at. */
  readonly problem?: string;
}

/** The plans of a fleet as they are on some of its clusters. Dispose of it to end the connections. */
export class PlanSights implements AsyncDisposable {
  readonly #seen: ReadonlyMap<string, SeenCluster>;

  private constructor(seen: ReadonlyMap<string, SeenCluster>) {
    this.#seen = seen;
  }

  /** Reads all plans of the clusters, in one list for each namespace; all clusters at the same time. */
  static async read(
    clusters: readonly FleetCluster[],
    placement: Placement,
    options: ReachOptions,
    signal: AbortSignal,
  ): Promise<PlanSights> {
    const named = [...new Set(Object.keys(placement.plans).flatMap((key) => planOfKey(key).namespace ?? []))];
    const seen = await Promise.all(
      clusters.map(async (cluster) => [cluster.name, await look(cluster, placement, named, options, signal)] as const),
    );
    return new PlanSights(new Map(seen));
  }

  of(cluster: string, key: string): Sight {
    const seen = this.#seen.get(cluster);
    // A record may name a cluster that the fleet no longer has.
    return seen === undefined || seen.problem !== undefined ? 'unreachable' : (seen.plans.get(key) ?? 'absent');
  }

  /** What a plan on a cluster is changed by; nothing when it is not there, or the cluster cannot be reached. */
  side(cluster: string, key: string): Side | undefined {
    const { client, plans } = this.#seen.get(cluster) ?? {};
    const object = plans?.get(key);
    return client && object && { client, object };
  }

  /** The client of a cluster that can be reached. */
  client(cluster: string): KubeClient | undefined {
    const { client, problem } = this.#seen.get(cluster)!;
    return problem === undefined ? client : undefined;
  }

  /** The clusters that could not be looked at. */
  get unreachable(): readonly { readonly cluster: string; readonly problem: string }[] {
    return [...this.#seen].flatMap(([cluster, { problem }]) => (problem === undefined ? [] : [{ cluster, problem }]));
  }

  /** The plans that were switched away from a cluster, each with the cluster that they were switched to. */
  switchedFrom(home: string): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    for (const { plans } of this.#seen.values())
      for (const [key, object] of plans) {
        const record = failoverOf(object);
        if (record?.from === home) found.set(key, record.to);
      }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#seen.values()].map(async ({ client }) => client?.close()));
  }
}

async function look(
  cluster: FleetCluster,
  placement: Placement,
  named: readonly string[],
  options: ReachOptions,
  signal: AbortSignal,
): Promise<SeenCluster> {
  let client: KubeClient | undefined;
  try {
    client = await openCluster(cluster, options);
    const plans = new Map<string, PlanObject>();
    for (const namespace of new Set([client.namespace, ...named])) {
      const { items } = await client.list<PlanObject>(cronJobs, { namespace, labelSelector: PLANS, signal });
      for (const item of items) plans.set(keyOf(item, client.namespace, placement), item);
    }
    return { client, plans };
  } catch (error) {
    signal.throwIfAborted();
    return { ...(client && { client }), plans: new Map(), problem: problemOf(error) };
  }
}

/** A plan whose chart names the namespace has it in its key, also where that is the cluster's own. */
function keyOf({ metadata: { name, namespace } }: PlanObject, own: string, { plans }: Placement): string {
  const long = planKey(name, namespace);
  return namespace === own && !Object.hasOwn(plans, long) ? name : long;
}
