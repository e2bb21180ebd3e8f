import { KubeClient } from '../../../kube/client.ts';
import type { ClientOptions } from '../../../kube/client-options.ts';
import { ConnectionError, KubeconfigError, KubeError } from '../../../kube/errors.ts';
import { enabledClusters } from '../../../graph/placement.ts';
import { readFleet, type SynthesizedFleet } from '../read-placement.ts';

/** A cluster of the fleet, and how it is reached. */
export interface FleetCluster {
  readonly name: string;
  readonly context?: string;
  readonly namespace?: string;
}

/** What the command line says of how clusters are reached. */
export interface ReachOptions {
  readonly kubeconfig?: string;
  readonly namespace?: string;
}

/**
 * The clusters in use of the fleet that was synthesized, in its order.
 *
 * @throws UsageError when there is no fleet
 */
export async function fleetClusters(cwd: string): Promise<readonly FleetCluster[]> {
  return clustersOf(await readFleet(cwd, '--all-clusters'));
}

export function clustersOf({ placement }: SynthesizedFleet): readonly FleetCluster[] {
  return enabledClusters(placement).map((name) => ({ ...placement.clusters[name], name }));
}

/** A client of a cluster of the fleet. */
export function openCluster(
  { context, namespace }: FleetCluster,
  options: ReachOptions,
  client: ClientOptions = { timeoutMs: 10_000, retry: { attempts: 3, maxElapsedMs: 5_000 } },
): Promise<KubeClient> {
  return KubeClient.fromKubeconfig({
    kubeconfig: options.kubeconfig,
    context,
    ...client,
    namespace: options.namespace ?? namespace,
  });
}

/** What came of asking a cluster: an answer, or why there is none. */
export type ClusterAnswer<T> =
  { readonly cluster: string; readonly answer: T } | { readonly cluster: string; readonly problem: string };

/** Asks all clusters at the same time. One that does not answer does not stop the others. */
export function askClusters<T>(
  clusters: readonly FleetCluster[],
  options: ReachOptions,
  ask: (client: KubeClient, cluster: FleetCluster) => Promise<T>,
): Promise<ClusterAnswer<T>[]> {
  return Promise.all(
    clusters.map(async (cluster): Promise<ClusterAnswer<T>> => {
      let client: KubeClient | undefined;
      try {
        client = await openCluster(cluster, options);
        return { cluster: cluster.name, answer: await ask(client, cluster) };
      } catch (error) {
        return { cluster: cluster.name, problem: problemOf(error) };
      } finally {
        await client?.close();
      }
    }),
  );
}

/** Why a cluster gave no answer. Errors of our own are thrown on. */
export function problemOf(error: unknown): string {
  if (error instanceof KubeError || error instanceof ConnectionError || error instanceof KubeconfigError)
    return error.message;
  throw error;
}
