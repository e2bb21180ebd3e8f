import { resolve } from 'node:path';
import { decodeGraph } from '../../../graph/config-map.ts';
import { annotations, CONTENT_GRAPH, CONTROLLER_NAME, labels } from '../../../graph/labels.ts';
import { notificationsOn } from '../../../graph/notifications.ts';
import { activeClusters, planKey, planOfKey } from '../../../graph/placement.ts';
import type { KubeClient } from '../../../kube/client.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import { cronJobs } from '../../../kube/resources.ts';
import { found } from '../../../runs/find.ts';
import type { ConfigMapObject, PlanCronJob } from '../../../runs/run-objects.ts';
import { suggest } from '../../../values/problems.ts';
import { readManifests } from '../../app/manifests.ts';
import { FailedError } from '../../errors.ts';
import { bareName, findPlan } from '../cluster-session.ts';
import { readFleet, type SynthesizedFleet } from '../read-placement.ts';

/** Where a plan is to be launched. */
export interface Elsewhere {
  readonly cluster: string;
  readonly cwd: string;
}

/**
 * The plan of `launch --cluster`: as it is on the cluster, else as it was synthesized for it. Of a workflow, else as it was
 * synthesized for the cluster that it is active on, with the graph that the other one has: all that a cluster decides of a
 * step's pod is in the PodTemplates that its graph names.
 *
 * @throws FailedError when there is no such plan, or none that may be launched there
 */
export async function findPlanFor(client: KubeClient, written: string, where: Elsewhere): Promise<PlanCronJob> {
  const name = bareName(written);
  if ((await found(client, cronJobs, name)) !== undefined) return findPlan(client, name);
  const fleet = await readFleet(where.cwd);
  const plan = await synthesizedPlan(fleet, { name, namespace: client.namespace }, where);
  return { ...plan, metadata: { ...plan.metadata, namespace: client.namespace } };
}

async function synthesizedPlan(
  fleet: SynthesizedFleet,
  { name, namespace }: { readonly name: string; readonly namespace: string },
  { cluster, cwd }: Elsewhere,
): Promise<PlanCronJob> {
  const plans = new Map(Object.entries(fleet.placement.plans));
  const key = [planKey(name, namespace), planKey(name)].find((each) => plans.has(each));
  const directory = (of: string) => `${fleet.output}/${of}`;
  if (key === undefined) {
    const near = suggest(name, plans.keys());
    const message = `There is no plan "${name}" on the cluster ${cluster}, nor in what was synthesized`;
    throw new FailedError(near === undefined ? message : `${message}; ${near}`);
  }
  // As it was synthesized: without a namespace where the cluster decides of it.
  const own = planOfKey(key).namespace;
  const here = await readObjects(cwd, directory(cluster), own);
  const made = here.find((object) => isPlan(object, name));
  if (made !== undefined) return made;
  const [active] = activeClusters(plans.get(key)!);
  const plan = (await readObjects(cwd, directory(active!), own)).find((object) => isPlan(object, name));
  if (plan === undefined) throw new FailedError(`The plan ${name} is not in ${directory(active!)}; run synth again`);
  const workflow = plan.metadata.labels?.[labels.workflow];
  if (workflow === undefined)
    throw new FailedError(
      `The plan ${name} runs one task, whose pod was made for the cluster ${active}; name ${cluster} among its backups, then synth and apply`,
    );
  const graph = here.find((object) => isGraphOf(object, workflow));
  if (graph === undefined)
    throw new FailedError(`The workflow ${workflow} is not in ${directory(cluster)}: it is not made for this cluster`);
  return withGraph(plan, graph, cluster);
}

function isPlan(object: KubeObject, name: string): object is PlanCronJob {
  return object.kind === 'CronJob' && object.metadata.name === name;
}

function isGraphOf({ metadata }: KubeObject, workflow: string): boolean {
  return metadata.labels?.[labels.content] === CONTENT_GRAPH && metadata.labels[labels.workflow] === workflow;
}

async function readObjects(
  cwd: string,
  directory: string,
  namespace: string | undefined,
): Promise<readonly KubeObject[]> {
  const files = await readManifests(resolve(cwd, directory)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new FailedError(`There is no directory ${directory}; run synth first`);
  });
  const objects = files.flatMap((file) => file.objects as unknown as readonly KubeObject[]);
  return objects.filter(({ metadata }) => metadata.namespace === namespace);
}

function withGraph(plan: PlanCronJob, map: ConfigMapObject, cluster: string): PlanCronJob {
  const { jobTemplate } = plan.spec;
  const { spec, metadata } = jobTemplate;
  const told = metadata?.annotations?.[annotations.notifications];
  const decoded = decodeGraph(map);
  // Of a driver's Job, which nobody manages, they are its pods and not the steps.
  const counted = spec.managedBy === CONTROLLER_NAME && 'graph' in decoded;
  return {
    ...plan,
    spec: {
      ...plan.spec,
      jobTemplate: {
        metadata: {
          labels: { ...metadata?.labels, [labels.version]: map.metadata.labels?.[labels.version] ?? '' },
          annotations: {
            ...metadata?.annotations,
            [annotations.graph]: map.metadata.name,
            ...(told !== undefined && { [annotations.notifications]: notificationsOn(cluster, told) }),
          },
        },
        spec: counted ? { ...spec, completions: decoded.graph.steps.length } : spec,
      },
    },
  };
}
