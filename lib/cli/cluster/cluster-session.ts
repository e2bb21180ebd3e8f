import { MANAGED_BY, labels } from '../../graph/labels.ts';
import { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { KubeList } from '../../kube/objects.ts';
import { cronJobs, jobs, type Resource } from '../../kube/resources.ts';
import { isRunJob, PLAN_SELECTOR, RUN_SELECTOR } from '../../runs/run-kinds.ts';
import type { PlanCronJob, RunJob } from '../../runs/run-objects.ts';
import { suggest } from '../../values/problems.ts';
import { FailedError } from '../errors.ts';
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
 * @throws FailedError with the nearest names when there is none
 */
export async function findRun(client: KubeClient, written: string): Promise<RunJob> {
  const name = bareName(written);
  const job = await found<RunJob>(client, jobs, name);
  if (job === undefined) throw await notFound(client, 'run', name);
  if (job.metadata.labels?.[labels.managedBy] !== MANAGED_BY || !isRunJob(job))
    throw new FailedError(
      `The Job ${name} is no run of a workflow or task: it lacks the label ${labels.managedBy}=${MANAGED_BY}`,
    );
  return job;
}

/**
 * The launch plan of a name: `x`, `plan/x` or `cronjob.batch/x`.
 *
 * @throws FailedError with the nearest names when there is none
 */
export async function findPlan(client: KubeClient, written: string): Promise<PlanCronJob> {
  const name = bareName(written);
  const plan = await found<PlanCronJob>(client, cronJobs, name);
  if (plan === undefined) throw await notFound(client, 'plan', name);
  if (plan.metadata.labels?.[labels.managedBy] !== MANAGED_BY)
    throw new FailedError(
      `The CronJob ${name} is no launch plan: it lacks the label ${labels.managedBy}=${MANAGED_BY}`,
    );
  return plan;
}

/** An object, or nothing when it does not exist. */
export async function found<T extends RunJob | PlanCronJob>(
  client: KubeClient,
  of: Resource,
  name: string,
): Promise<T | undefined> {
  try {
    return await client.get<T>(of, name);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The error for a name that does not exist. */
export async function notFound(client: KubeClient, kind: 'run' | 'plan', name: string): Promise<FailedError> {
  const [of, labelSelector] = kind === 'run' ? [jobs, RUN_SELECTOR] : [cronJobs, PLAN_SELECTOR];
  const none: KubeList = { apiVersion: '', kind: '', metadata: { resourceVersion: '' }, items: [] };
  // The list is only for the suggestion, which is not worth an error of its own.
  const { items } = await client.list(of, { labelSelector }).catch(() => none);
  const near = suggest(
    name,
    items.map(({ metadata }) => metadata.name),
  );
  const what = `There is no ${kind} "${name}" in namespace ${client.namespace} (context ${client.context})`;
  return new FailedError(near === undefined ? what : `${what}; ${near}`);
}

/** A name without the kind before its slash. */
export function bareName(written: string): string {
  return written.replace(/^(runs?|plans?|jobs?(\.batch)?|cronjobs?(\.batch)?)\//, '');
}
