import { withCluster } from '../cluster/cluster-session.ts';
import { askClusters, fleetClusters } from '../cluster/fleet/fleet-clusters.ts';
import { listPlans } from '../cluster/plans/list-plans.ts';
import type { PlanSummary } from '../cluster/plans/plan-summary.ts';
import { planColumns, statusColumns } from '../cluster/plans/plans-view.ts';
import type { PlansOptions } from '../commands/plans.ts';
import type { CliContext } from '../context.ts';
import { ExitError, exitCodes } from '../errors.ts';
import { formatTable } from '../terminal/table.ts';

/** What is shown of each plan: what it is, or how its last run went. */
export type PlanView = 'plans' | 'status';

/** Lists launch plans. */
export async function plans(context: CliContext, view: PlanView, options: PlansOptions): Promise<void> {
  if (options.allClusters) return plansEverywhere(context, view, options);
  await withCluster(options, async (client) => {
    const found = await listPlans(client, options);
    await print(context, view, found, options);
    if (found.length === 0) none(context, options, options.allNamespaces ? '' : ` in namespace ${client.namespace}`);
  });
}

/** Those of all clusters of the fleet. One that does not answer is told, and does not stop the others. */
async function plansEverywhere(context: CliContext, view: PlanView, options: PlansOptions): Promise<void> {
  const { err, cwd } = context;
  const answers = await askClusters(await fleetClusters(cwd), options, async (client, { name: cluster }) =>
    (await listPlans(client, options)).map((plan): PlanSummary => ({ cluster, ...plan })),
  );
  const found = answers.flatMap((answer) => ('answer' in answer ? answer.answer : []));
  const unreachable = answers.flatMap((answer) => ('problem' in answer ? [answer] : []));
  await print(context, view, found, options, unreachable);
  for (const { cluster, problem } of unreachable) err.line(`${err.colors.red('error:')} ${cluster}: ${problem}`);
  if (unreachable.length > 0) throw new ExitError(exitCodes.failed);
  if (found.length === 0) none(context, options, ' on any cluster');
}

async function print(
  { out }: CliContext,
  view: PlanView,
  found: readonly PlanSummary[],
  options: PlansOptions,
  unreachable?: readonly { readonly cluster: string; readonly problem: string }[],
): Promise<void> {
  const { output } = options;
  if (output === 'name')
    return found.forEach(({ cluster, name }) => out.line(`${cluster ? `${cluster}/` : ''}cronjob.batch/${name}`));
  const document = unreachable === undefined ? found : { plans: found, unreachable };
  if (output === 'json') return out.json(document);
  if (output === 'yaml') return out.yaml(JSON.parse(JSON.stringify(document)));
  if (found.length === 0) return;
  const columns = (view === 'plans' ? planColumns : statusColumns)(Date.now(), out.colors, {
    ...options,
    held: found.some(({ heldFrom }) => heldFrom !== undefined),
  });
  out.write(formatTable(columns, found, { wide: output === 'wide' }));
}

function none({ err }: CliContext, { group, output }: PlansOptions, where: string): void {
  if (output === undefined || output === 'wide')
    err.line(`No plans${group === undefined ? '' : ` of group ${group}`} found${where}.`);
}
