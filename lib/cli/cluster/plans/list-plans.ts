import { labels } from '../../../graph/labels.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { eachObject } from '../../../kube/pages.ts';
import { cronJobs, jobs } from '../../../kube/resources.ts';
import { isRunJob, PLAN_SELECTOR, RUN_SELECTOR } from '../../../runs/run-kinds.ts';
import type { PlanCronJob, RunJob } from '../../../runs/run-objects.ts';
import { summaryOf, type RunSummary } from '../../../runs/run-summary.ts';
import { suggest } from '../../../values/problems.ts';
import { FailedError } from '../../errors.ts';
import { labelSelectors } from '../label-selector.ts';
import { planSummary, type PlanSummary } from './plan-summary.ts';
import { newestFirst } from '../runs/runs-view.ts';

/** Which plans are meant. */
export interface PlanSelection {
  readonly group?: string;
  readonly workflow?: string;
  readonly allNamespaces?: boolean;
}

/** The plans with the last run of each, by name: one list of CronJobs and one of Jobs, however many there are. */
export async function listPlans(client: KubeClient, selection: PlanSelection): Promise<PlanSummary[]> {
  const namespace = selection.allNamespaces ? null : undefined;
  const chosen = selectors(selection);
  const [plans, last] = await Promise.all([
    collect(eachObject<PlanCronJob>(client, cronJobs, { namespace, labelSelector: [PLAN_SELECTOR, ...chosen].join() })),
    lastRuns(client, { namespace, labelSelector: [RUN_SELECTOR, labels.plan, ...chosen].join() }),
  ]);
  const now = Date.now();
  return plans.map((plan) => planSummary(plan, now, last.get(keyOf(plan.metadata.namespace, plan.metadata.name))));
}

/** The last run of one plan. */
export async function lastRunOf(client: KubeClient, { metadata }: PlanCronJob): Promise<RunSummary | undefined> {
  const labelSelector = `${RUN_SELECTOR},${labels.plan}=${metadata.name}`;
  const last = await lastRuns(client, { namespace: metadata.namespace, labelSelector });
  return last.get(keyOf(metadata.namespace, metadata.name));
}

/**
 * The CronJobs of a group.
 *
 * @throws FailedError with the nearest names when there is no such group
 */
export async function groupPlans(client: KubeClient, group: string): Promise<PlanCronJob[]> {
  const labelSelector = [PLAN_SELECTOR, ...selectors({ group })].join();
  const plans = await collect(eachObject<PlanCronJob>(client, cronJobs, { labelSelector }));
  if (plans.length === 0) throw await noSuchGroup(client, group);
  return plans;
}

/** The error for a group without plans. */
async function noSuchGroup(client: KubeClient, group: string): Promise<FailedError> {
  const near = suggest(group, await groupNames(client));
  const what = `There is no plan of a group "${group}" in namespace ${client.namespace} (context ${client.context})`;
  return new FailedError(near === undefined ? what : `${what}; ${near}`);
}

/** The names of the groups that have plans. */
export async function groupNames(client: KubeClient, signal?: AbortSignal): Promise<readonly string[]> {
  const labelSelector = `${PLAN_SELECTOR},${labels.group}`;
  const plans = await collect(eachObject<PlanCronJob>(client, cronJobs, { labelSelector, signal }));
  return [...new Set(plans.map(({ metadata }) => metadata.labels![labels.group]!))].sort();
}

function selectors({ group, workflow }: PlanSelection): readonly string[] {
  return labelSelectors([
    ['--group', labels.group, group],
    ['--workflow', labels.workflow, workflow],
  ]);
}

async function lastRuns(
  client: KubeClient,
  select: { readonly namespace?: string | null; readonly labelSelector: string },
): Promise<ReadonlyMap<string, RunSummary>> {
  const last = new Map<string, RunSummary>();
  for await (const job of eachObject<RunJob>(client, jobs, select)) {
    if (!isRunJob(job)) continue;
    const run = summaryOf(job);
    const key = keyOf(run.namespace, run.plan!);
    const before = last.get(key);
    if (before === undefined || newestFirst(run, before) < 0) last.set(key, run);
  }
  return last;
}

const keyOf = (namespace: string | undefined, name: string) => `${namespace}/${name}`;

async function collect<T>(all: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of all) items.push(item);
  return items;
}
