import { leavingSwitched } from '../fleet/failover/failover-record.ts';
import { annotations, labels } from '../graph/labels.ts';
import type { KubeClient } from '../kube/client.ts';
import { isConflict } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { eachObject } from '../kube/pages.ts';
import { cronJobs } from '../kube/resources.ts';
import { readPlanDefaults } from '../plans/plan-defaults.ts';
import { WorkflowsError } from '../runs/errors.ts';
import { found } from '../runs/find.ts';
import { PLAN_SELECTOR } from '../runs/run-kinds.ts';
import type { PlanCronJob } from '../runs/run-objects.ts';
import { workflowNames, workflowVersions, type WorkflowVersion } from '../runs/workflow-versions.ts';
import { InvalidError, suggest, type Problem } from '../values/problems.ts';
import { planInfo } from './plan-info.ts';
import { checkOwner } from './plan-owner.ts';
import type { PlanRegistration, RegisteredPlan as Registered } from './plan-registration.ts';
import { launchedPlans } from './launched-plans.ts';
import { referenceProblems, RegisteredPlan, type GraphTarget } from './registered-plan.ts';
import type { WorkflowType } from './types.ts';

/** The field manager of the plans that a program registers: two that create one plan at the same time are in each other's way. */
const managerOf = (by: string) => `cdk8s-workflows-client-${by}`;

/**
 * Writes the CronJob of a plan, unless something is wrong with it.
 *
 * @param by the name of the program, whose plan it becomes
 * @throws InvalidError with everything that is wrong
 * @throws WorkflowsError when there is no such workflow or version, or the plan is another's
 */
export async function registerPlan(
  client: KubeClient,
  given: PlanRegistration<WorkflowType>,
  by: string,
  signal?: AbortSignal,
): Promise<Registered> {
  const { name } = given;
  const cannot = (problems: readonly Problem[]) => new InvalidError(`Cannot register plan ${name}`, problems);
  if ([...referenceProblems(given)].length > 0) throw cannot([...new RegisteredPlan(given, by).problems()]);
  // What only the cluster tells is told with the rest.
  const [target, live] = await Promise.all([
    targetOf(client, given, signal),
    found<PlanCronJob>(client, cronJobs, name, { signal }),
  ]);
  const plan = new RegisteredPlan(given, by, target.defaults);
  const wrong = [...plan.problems()];
  wrong.push(...plan.problemsWith(target, await launchedPlans(client, plan.launches, signal)));
  if (wrong.length === 0) wrong.push(...plan.manifestProblems(target));
  if (wrong.length > 0) throw cannot(wrong);
  if (live !== undefined) checkOwner(live, by);
  const manifest = toApply(plan.manifest(target), live, given.suspended === undefined);
  const written = await client
    .patch<PlanCronJob>(cronJobs, name, manifest, {
      type: 'apply',
      fieldManager: managerOf(by),
      // All of it is the program's; whoever changed it by kubectl is overruled, as the next registration would have it. One that was not there is nobody's.
      force: live !== undefined,
      fieldValidation: 'Strict',
      signal,
    })
    .catch(async (error: unknown) => {
      const other =
        live === undefined && isConflict(error) ? await found(client, cronJobs, name, { signal }) : undefined;
      if (other !== undefined) checkOwner(other, by);
      throw error;
    });
  const same = live?.metadata.resourceVersion === written.metadata.resourceVersion;
  return { outcome: live === undefined ? 'created' : same ? 'unchanged' : 'updated', plan: planInfo(written) };
}

/** With the uid of the one that was looked at, so that no later one of the name is taken over. */
function toApply(manifest: ReturnType<RegisteredPlan['manifest']>, live: PlanCronJob | undefined, asSwitched: boolean) {
  if (live === undefined) return manifest;
  const metadata = { ...manifest.metadata, uid: live.metadata.uid };
  const object = { ...manifest, metadata } as unknown as KubeObject;
  return asSwitched ? leavingSwitched(object, live) : object;
}

async function targetOf(
  client: KubeClient,
  { workflow, version }: PlanRegistration<WorkflowType>,
  signal: AbortSignal | undefined,
): Promise<GraphTarget> {
  const versions = await workflowVersions(client, workflow, { signal });
  if (versions.length === 0)
    throw new WorkflowsError(
      'NotFound',
      `There is no workflow "${workflow}" in namespace ${client.namespace}; ${suggest(workflow, await workflowNames(client, { signal })) ?? 'apply it first'}`,
    );
  const chosen = version === undefined ? await usual(client, workflow, versions, signal) : named(versions, version);
  if (chosen === undefined) {
    const known = versions.map((each) => each.version);
    const near = suggest(version!, known);
    throw new WorkflowsError(
      'NotFound',
      `${workflow} has no version "${version}"${near === undefined ? '' : `; ${near}`}`,
    );
  }
  const { name, graph, version: is } = chosen;
  if (graph === undefined) throw new WorkflowsError('Invalid', `The ConfigMap ${name} holds no graph that can be read`);
  const defaults = readPlanDefaults(chosen.planDefaults);
  return { workflow, version: is, graphName: name, steps: graph.steps.length, graph, defaults };
}

function named(versions: readonly WorkflowVersion[], version: string): WorkflowVersion | undefined {
  return versions.find((each) => each.version === version || each.name === version);
}

/** The version of the plans that are applied, which is not the newest when the workflow was rolled back. */
async function usual(
  client: KubeClient,
  workflow: string,
  versions: readonly WorkflowVersion[],
  signal: AbortSignal | undefined,
): Promise<WorkflowVersion> {
  const labelSelector = `${PLAN_SELECTOR},!${labels.registeredBy},${labels.workflow}=${workflow}`;
  const graphs = new Set<string | undefined>();
  for await (const { spec } of eachObject<PlanCronJob>(client, cronJobs, { labelSelector, signal }))
    graphs.add(spec.jobTemplate.metadata?.annotations?.[annotations.graph]);
  const [only, ...others] = graphs;
  return (others.length === 0 && only !== undefined && named(versions, only)) || versions[0]!;
}
