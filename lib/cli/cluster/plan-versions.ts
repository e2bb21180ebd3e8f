import { decodeGraph } from '../../graph/config-map.ts';
import type { Graph } from '../../graph/graph.ts';
import { annotations, CONTENT_GRAPH, labels, MANAGED_BY } from '../../graph/labels.ts';
import { newestFirst, type VersionObject } from '../../graph/old-versions.ts';
import type { KubeClient } from '../../kube/client.ts';
import { eachObject } from '../../kube/pages.ts';
import { configMaps, jobs } from '../../kube/resources.ts';
import { isRunJob } from '../../runs/run-kinds.ts';
import type { ConfigMapObject, PlanCronJob, RunJob } from '../../runs/run-objects.ts';
import { summaryOf, type RunSummary } from '../../runs/run-summary.ts';
import { FailedError } from '../errors.ts';
import { newestFirst as newestRunFirst } from './runs-view.ts';

/** A version of a plan's workflow that is on the cluster. */
export interface PlanVersion extends VersionObject {
  readonly version: string;
  /** Whether runs that the plan starts now are of this version. */
  readonly current: boolean;
  /** Left out when it cannot be read. */
  readonly graph?: Graph;
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
  const { namespace } = plan.metadata;
  const labelSelector = `${labels.managedBy}=${MANAGED_BY},${labels.content}=${CONTENT_GRAPH},${labels.workflow}=${workflow}`;
  const versions: PlanVersion[] = [];
  for await (const object of eachObject<ConfigMapObject>(client, configMaps, { namespace, labelSelector, limit: 20 })) {
    const { name, creationTimestamp, labels: given } = object.metadata;
    const decoded = decodeGraph(object);
    versions.push({
      name,
      version: given?.[labels.version] ?? name,
      createdAt: Date.parse(creationTimestamp ?? ''),
      current: name === current,
      ...('graph' in decoded && { graph: decoded.graph }),
    });
  }
  return versions.sort(newestFirst);
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
