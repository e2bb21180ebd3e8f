import { withCluster } from '../cluster/cluster-session.ts';
import { listPlans } from '../cluster/list-plans.ts';
import type { PlanSummary } from '../cluster/plan-summary.ts';
import { planColumns, statusColumns } from '../cluster/plans-view.ts';
import type { PlansOptions } from '../commands/plans.ts';
import type { CliContext } from '../context.ts';
import { formatTable } from '../terminal/table.ts';

/** Lists launch plans: what they are (`plans`), or how the last run of each went (`status`). */
export async function plans(context: CliContext, view: 'plans' | 'status', options: PlansOptions): Promise<void> {
  await withCluster(options, async (client) => {
    const found = await listPlans(client, options);
    if (options.output !== undefined && options.output !== 'wide') return print(context, found, options);
    const { group, allNamespaces } = options;
    if (found.length === 0) {
      const where = allNamespaces ? '' : ` in namespace ${client.namespace}`;
      return context.err.line(`No plans${group === undefined ? '' : ` of group ${group}`} found${where}.`);
    }
    const columns = (view === 'plans' ? planColumns : statusColumns)(Date.now(), context.out.colors, options);
    context.out.write(formatTable(columns, found, { wide: options.output === 'wide' }));
  });
}

async function print({ out }: CliContext, found: readonly PlanSummary[], { output }: PlansOptions): Promise<void> {
  if (output === 'name') return found.forEach(({ name }) => out.line(`cronjob.batch/${name}`));
  if (output === 'yaml') await out.yaml(JSON.parse(JSON.stringify(found)));
  else out.json(found);
}
