import { movedManifest, nextOf, plannedGraph, plannedVersion } from '../../fleet/held-plan.ts';
import { writePlan } from '../../fleet/apply/write-plan.ts';
import { readConfigMap, graphOf } from '../../runs/run-state.ts';
import type { PlanCronJob } from '../../runs/run-objects.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Problem } from '../../values/problems.ts';
import { findPlan, withCluster } from '../cluster/cluster-session.ts';
import { groupPlans } from '../cluster/plans/list-plans.ts';
import { movePlans } from '../cluster/plans/move-plans.ts';
import { VersionParts } from '../cluster/plans/version-parts.ts';
import type { PromoteOptions } from '../commands/promote.ts';
import type { CliContext } from '../context.ts';
import { UsageError } from '../errors.ts';

/** Lets plans that are held go to the version that they were applied with last. */
export async function promote(
  context: CliContext,
  name: string | undefined,
  { group, dryRun, ...options }: PromoteOptions,
): Promise<void> {
  if ((name === undefined) === (group === undefined)) throw new UsageError('name a plan, or give --group');
  const { out } = context;
  await withCluster(options, async (client) => {
    const plans = group === undefined ? [await findPlan(client, name!)] : await groupPlans(client, group);
    const held = plans.filter((plan) => nextOf(plan) !== undefined);
    const subject = group === undefined ? `plan ${plans[0]!.metadata.name}` : `group ${group}`;
    if (held.length === 0)
      return out.line(`nothing of ${subject} is held: its runs are of the version that was applied last`);
    const parts = new NextParts(client);
    await movePlans(context, held, {
      what: `promote ${subject}`,
      problemsOf: (plan) => parts.problems(plan),
      move: (plan) => writePlan(client, movedManifest(nextOf(plan)!, plan), plan, { dryRun }),
      line: (plan) =>
        `plan ${plan.metadata.name} promoted from ${plannedVersion(plan)} to ${plannedVersion(nextOf(plan)!)}${dryRun ? ' (dry run)' : ''}`,
    });
  });
}

/** Whether the versions that plans are to go to are on the cluster. */
class NextParts {
  readonly #client: KubeClient;
  readonly #parts: VersionParts;
  readonly #graphs = new Map<string, ReturnType<typeof readConfigMap>>();

  constructor(client: KubeClient) {
    this.#client = client;
    this.#parts = new VersionParts(client);
  }

  async problems(plan: PlanCronJob): Promise<readonly Problem[]> {
    const name = plannedGraph(nextOf(plan)!) ?? '';
    const { namespace } = plan.metadata;
    const read = this.#graphs.get(name) ?? readConfigMap(this.#client, name, namespace);
    this.#graphs.set(name, read);
    const map = await read;
    const path = `ConfigMap ${name}`;
    if (map === undefined) return [{ path, message: 'is gone', fix: 'apply that version again from its source' }];
    const { graph } = graphOf(map);
    if (graph === undefined) return [{ path, message: 'holds no graph that can be read' }];
    return this.#parts.problems(graph, namespace);
  }
}
