import { KubeClient } from '../../kube/client.ts';
import * as find from '../../runs/find.ts';
import type { PlanCronJob, RunJob } from '../../runs/run-objects.ts';
import type { ClusterOptions } from '../options.ts';

/** Runs work with a client of the cluster that the options name, and closes it. */
export async function withCluster<T>(options: ClusterOptions, work: (client: KubeClient) => Promise<T>): Promise<T> {
  const client = await KubeClient.fromKubeconfig({
    kubeconfig: options.kubeconfig,
    context: options.context,
    namespace: options.namespace,
    // Somebody is waiting at the terminal.
    retry: { maxElapsedMs: 10_000 },
  });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** The options that name a cluster and a namespace, for a hint at another command; they begin with a space. */
export function clusterFlags({ kubeconfig, cluster, context, namespace }: ClusterOptions): string {
  const where = cluster === undefined ? { '--context': context } : { '--cluster': cluster };
  const flags = { '--kubeconfig': kubeconfig, ...where, '-n': namespace };
  return Object.entries(flags)
    .map(([flag, value]) => (value === undefined ? '' : ` ${flag} ${value}`))
    .join('');
}

/**
 * The same for another cluster of the fleet, with the namespace of a run that has a step there. A context is named as its
 * cluster where nothing else was said.
 */
export function flagsElsewhere(flags: string, cluster: string, namespace: string | undefined): string {
  const [kubeconfig = ''] = / --kubeconfig \S+/.exec(flags) ?? [];
  return `${kubeconfig}${clusterFlags({ context: cluster, namespace })}`;
}

/**
 * The run of a name, as the user writes it: `x`, `run/x`, or `job.batch/x` as `-o name` prints it.
 *
 * @throws WorkflowsError with the nearest names when there is none
 */
export function findRun(client: KubeClient, written: string): Promise<RunJob> {
  return find.findRun(client, bareName(written));
}

/**
 * The launch plan of a name: `x`, `plan/x` or `cronjob.batch/x`.
 *
 * @throws WorkflowsError with the nearest names when there is none
 */
export function findPlan(client: KubeClient, written: string): Promise<PlanCronJob> {
  return find.findPlan(client, bareName(written));
}

/** A name without the kind before its slash. */
export function bareName(written: string): string {
  return written.replace(/^(runs?|plans?|jobs?(\.batch)?|cronjobs?(\.batch)?)\//, '');
}
