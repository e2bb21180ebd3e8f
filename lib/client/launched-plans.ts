import { annotations } from '../graph/labels.ts';
import type { KubeClient } from '../kube/client.ts';
import { cronJobs } from '../kube/resources.ts';
import type { LaunchedPlan } from '../plans/notification-receivers.ts';
import { found } from '../runs/find.ts';
import { fixedInputs } from '../runs/plan-inputs.ts';
import type { PlanCronJob } from '../runs/run-objects.ts';
import { graphOf, readConfigMap } from '../runs/run-state.ts';
import { inputsOf } from '../runs/run-summary.ts';

/**
 * What the plans take that notifications launch, by name, as far as it is known: of a single task nobody can tell, nor of a graph that is gone. A plan that
 * there is not is not among them.
 */
export async function launchedPlans(
  client: KubeClient,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, LaunchedPlan | undefined>> {
  const plans = await Promise.all(
    names.map(async (name) => {
      const plan = await found<PlanCronJob>(client, cronJobs, name, { signal });
      return plan && ([name, await launchedPlan(client, plan)] as const);
    }),
  );
  return new Map(plans.filter((plan) => plan !== undefined));
}

async function launchedPlan(client: KubeClient, plan: PlanCronJob): Promise<LaunchedPlan | undefined> {
  const { metadata } = plan.spec.jobTemplate;
  const graphName = metadata?.annotations?.[annotations.graph];
  const map = graphName === undefined ? undefined : await readConfigMap(client, graphName, plan.metadata.namespace);
  const { graph } = map === undefined ? {} : graphOf(map);
  return (
    graph && {
      name: plan.metadata.name,
      inputSchema: graph.inputs,
      fixedInputs: fixedInputs(plan),
      filledInputs: Object.keys(inputsOf({ ...metadata, creationTimestamp: new Date().toISOString() })),
    }
  );
}
