import { labels, MANAGED_BY } from '../graph/labels.ts';
import type { KubeClient } from '../kube/client.ts';
import { isNotFound } from '../kube/errors.ts';
import type { KubeList, KubeObject } from '../kube/objects.ts';
import { cronJobs, jobs, type Resource } from '../kube/resources.ts';
import { suggest } from '../values/problems.ts';
import { WorkflowsError } from './errors.ts';
import { isRunJob, PLAN_SELECTOR, RUN_SELECTOR } from './run-kinds.ts';
import type { PlanCronJob, RunJob } from './run-objects.ts';

/** Where to look. */
export interface FindOptions {
  /** @default the client's */
  readonly namespace?: string;
  readonly signal?: AbortSignal;
}

/**
 * The run of a name.
 *
 * @throws WorkflowsError with the nearest names when there is none
 */
export async function findRun(client: KubeClient, name: string, options: FindOptions = {}): Promise<RunJob> {
  const job = await found<RunJob>(client, jobs, name, options);
  if (job === undefined) throw await notFound(client, 'run', name, options);
  if (job.metadata.labels?.[labels.managedBy] !== MANAGED_BY || !isRunJob(job))
    throw new WorkflowsError(
      'NotFound',
      `The Job ${name} is no run of a workflow or task: it lacks the label ${labels.managedBy}=${MANAGED_BY}`,
    );
  return job;
}

/**
 * The launch plan of a name.
 *
 * @throws WorkflowsError with the nearest names when there is none
 */
export async function findPlan(client: KubeClient, name: string, options: FindOptions = {}): Promise<PlanCronJob> {
  const plan = await found<PlanCronJob>(client, cronJobs, name, options);
  if (plan === undefined) throw await notFound(client, 'plan', name, options);
  if (plan.metadata.labels?.[labels.managedBy] !== MANAGED_BY)
    throw new WorkflowsError(
      'NotFound',
      `The CronJob ${name} is no launch plan: it lacks the label ${labels.managedBy}=${MANAGED_BY}`,
    );
  return plan;
}

/** An object, or nothing when it does not exist. */
export async function found<T extends KubeObject>(
  client: KubeClient,
  of: Resource,
  name: string,
  options: FindOptions = {},
): Promise<T | undefined> {
  // Names that no object can have are of none. (apimachinery/pkg/api/validation/path: IsValidPathSegmentName)
  if (name === '' || name === '.' || name === '..' || /[/%]/.test(name)) return undefined;
  try {
    return await client.get<T>(of, name, options);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The error for a name that does not exist. */
export async function notFound(
  client: KubeClient,
  kind: 'run' | 'plan',
  name: string,
  { namespace = client.namespace, signal }: FindOptions = {},
): Promise<WorkflowsError> {
  const [of, labelSelector] = kind === 'run' ? [jobs, RUN_SELECTOR] : [cronJobs, PLAN_SELECTOR];
  const none: KubeList = { apiVersion: '', kind: '', metadata: { resourceVersion: '' }, items: [] };
  // The list is only for the suggestion, which is not worth an error of its own.
  const { items } = await client.list(of, { namespace, labelSelector, signal }).catch(() => none);
  const near = suggest(
    name,
    items.map(({ metadata }) => metadata.name),
  );
  const what = `There is no ${kind} "${name}" in namespace ${namespace} (context ${client.context})`;
  return new WorkflowsError('NotFound', near === undefined ? what : `${what}; ${near}`);
}
