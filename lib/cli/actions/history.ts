import { findPlan, withCluster } from '../cluster/cluster-session.ts';
import { runsByGraph, versionsOf, type PlanVersion } from '../cluster/plans/plan-versions.ts';
import { paintRunPhase } from '../cluster/runs/runs-view.ts';
import type { HistoryOptions } from '../commands/history.ts';
import type { CliContext } from '../context.ts';
import { formatAge } from '../terminal/duration.ts';
import { formatTable, type Column } from '../terminal/table.ts';
import type { Colors } from '../terminal/output.ts';
import type { RunSummary } from '../../runs/run-summary.ts';

interface Row extends PlanVersion {
  readonly runs: readonly RunSummary[];
}

/** Lists the versions of a plan's workflow that are on the cluster. */
export async function history(context: CliContext, planName: string, options: HistoryOptions): Promise<void> {
  const { out, err, program } = context;
  await withCluster(options, async (client) => {
    const plan = await findPlan(client, planName);
    const [versions, runs] = await Promise.all([versionsOf(client, plan), runsByGraph(client, plan)]);
    const rows = versions.map((version): Row => ({ ...version, runs: runs.get(version.name) ?? [] }));
    if (options.output === 'json') return out.json(rows.map(documentOf));
    out.write(formatTable(columns(Date.now(), out.colors), rows, { wide: options.output === 'wide' }));
    if (!rows.some(({ current }) => current))
      err.line(
        `${err.colors.yellow('warning:')} the version that the plan names is not on the cluster: its runs fail. Apply the plan again, or: ${program} rollback ${plan.metadata.name} --to <version>`,
      );
  });
}

function columns(now: number, colors: Colors): Column<Row>[] {
  const age = ({ createdAt }: Row) =>
    formatAge(Number.isNaN(createdAt) ? undefined : new Date(createdAt).toISOString(), now);
  return [
    { header: 'CURRENT', value: ({ current, next }) => (current ? '*' : next ? 'next' : '') },
    { header: 'VERSION', value: ({ version }) => version },
    { header: 'AGE', value: age },
    { header: 'STEPS', value: ({ graph }) => (graph === undefined ? 'not readable' : String(graph.steps.length)) },
    { header: 'RUNS', value: ({ runs }) => String(runs.length) },
    {
      header: 'LAST RUN',
      value: ({ runs: [last] }) => (last === undefined ? '-' : `${last.phase}, ${formatAge(last.createdAt, now)} ago`),
      style: (text, { runs: [last] }) => (last === undefined ? text : paintRunPhase(last.phase, colors)(text)),
    },
    { header: 'GRAPH', value: ({ name }) => name, wide: true },
  ];
}

function documentOf({ version, name, createdAt, current, next, graph, runs }: Row): object {
  return {
    version,
    graph: name,
    current,
    next,
    createdAt: Number.isNaN(createdAt) ? undefined : new Date(createdAt).toISOString(),
    steps: graph?.steps.length,
    runs: runs.map(({ name: run, phase, createdAt: at }) => ({ name: run, phase, createdAt: at })),
  };
}
