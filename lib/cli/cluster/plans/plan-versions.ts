import { nextOf, plannedGraph } from '../../../fleet/held-plan.ts';
import { annotations, labels, MANAGED_BY } from '../../../graph/labels.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { eachObject } from '../../../kube/pages.ts';
import { jobs } from '../../../kube/resources.ts';
import { isRunJob } from '../../../runs/run-kinds.ts';
import type { PlanCronJob, RunJob } from '../../../runs/run-objects.ts';
import { summaryOf, type RunSummary } from '../../../runs/run-summary.ts';
import { workflowVersions, type WorkflowVersion } from '../../../runs/workflow-versions.ts';
import { FailedError } from '../../errors.ts';
import { newestFirst as newestRunFirst } from '../runs/runs-view.ts';

/** A version of a plan's workflow that is on the cluster. */
export interface PlanVersion extends WorkflowVersion {
  /** Whether runs that the plan starts now are of this version. */
  readonly current: boolean;
  /** Whether the plan is held from it: it was applied with this version, and starts runs of another one. */
  readonly next: boolean;
}

/** The graph of a plan. @throws FailedError when it runs a single task, which has no versions */
export function graphOfPlan({ metadata, spec }: PlanCronJob): { readonly name: string; readonly workflow: string } {
  const { annotations: notes, labels: given } = spec.jobTemplate.metadata ?? {};
  const [name, workflow] = [notes?.[annotations.graph], given?.[labels.workflow]];
  if (name === undefined || workflow === undefined)
    throw new FailedError(
      `The plan ${metadata.name} runs a single task, which is written into it whole: no earlier versions are kept`,
    );
  return { name, workflow };
}

/** The versions of a plan's workflow that are on the cluster, the newest first. */
export async function versionsOf(client: KubeClient, plan: PlanCronJob): Promise<readonly PlanVersion[]> {
  const { name: current, workflow } = graphOfPlan(plan);
  const held = nextOf(plan);
  const next = held && plannedGraph(held);
  const versions = await workflowVersions(client, workflow, { namespace: plan.metadata.namespace });
  return versions.map((version) => ({ ...version, current: version.name === current, next: version.name === next }));
}

/** The runs of a plan that are on the cluster by the name of their graph, the newest first. */
export async function runsByGraph(
  client: KubeClient,
  { metadata: { name, namespace } }: PlanCronJob,
): Promise<ReadonlyMap<string, readonly RunSummary[]>> {
  const runs = new Map<string, RunSummary[]>();
  const labelSelector = `${labels.managedBy}=${MANAGED_BY},${labels.plan}=${name}`;
  for await (const job of eachObject<RunJob>(client, jobs, { namespace, labelSelector })) {
    const graph = job.metadata.annotations?.[annotations.graph];
    if (graph === undefined || !isRunJob(job)) continue;
    const known = runs.get(graph);
    if (known === undefined) runs.set(graph, [summaryOf(job)]);
    else known.push(summaryOf(job));
  }
  for (const each of runs.values()) each.sort(newestRunFirst);
  return runs;
}
