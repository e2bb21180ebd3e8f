import { findPlan, withCluster } from '../cluster/cluster-session.ts';
import { lastRunOf } from '../cluster/plans/list-plans.ts';
import { planSettings, type PlanSetting } from '../cluster/plans/plan-settings.ts';
import { planSummary, type PlanSummary } from '../cluster/plans/plan-summary.ts';
import { activity, versionText } from '../cluster/plans/plans-view.ts';
import type { DescribeOptions } from '../commands/describe.ts';
import type { CliContext } from '../context.ts';
import type { Graph } from '../../graph/graph.ts';
import { annotations } from '../../graph/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { PlanCronJob } from '../../runs/run-objects.ts';
import { graphOf, readConfigMap } from '../../runs/run-state.ts';
import { formatAge, formatDuration } from '../terminal/duration.ts';
import type { Colors } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';

/** Shows a launch plan: when it fires, how its last run went, and each setting with who set it. */
export async function describePlan(context: CliContext, name: string, options: DescribeOptions): Promise<void> {
  await withCluster(options, async (client) => {
    const plan = await findPlan(client, name);
    const now = Date.now();
    const [lastRun, graph] = await Promise.all([lastRunOf(client, plan), graphOfPlan(client, plan)]);
    const summary = planSummary(plan, now, lastRun);
    const settings = planSettings(plan, graph);
    const { out } = context;
    if (options.output === 'json') return out.json({ ...summary, settings });
    if (options.output === 'yaml') return out.yaml(JSON.parse(JSON.stringify({ ...summary, settings })));
    out.write(`${headOf(summary, now)}\nSettings:\n${tableOf(settings, out.colors)}`);
  });
}

/** Nothing of a single task, and where the graph is gone. */
async function graphOfPlan(client: KubeClient, { metadata, spec }: PlanCronJob): Promise<Graph | undefined> {
  const name = spec.jobTemplate.metadata?.annotations?.[annotations.graph];
  const map = name === undefined ? undefined : await readConfigMap(client, name, metadata.namespace);
  return map && graphOf(map).graph;
}

function headOf(plan: PlanSummary, now: number): string {
  const { lastRun, nextAt, schedule, timeZone, workflow, version } = plan;
  const fields: readonly [string, string | undefined][] = [
    ['Plan', plan.name],
    ['Namespace', plan.namespace],
    ['Group', plan.group],
    ['Workflow', workflow && `${workflow}${version === undefined ? '' : ` (version ${versionText(plan)})`}`],
    ['Task', plan.task],
    ['Registered by', plan.registeredBy],
    ['Schedule', schedule && `${schedule}${timeZone === undefined ? '' : ` (${timeZone})`}`],
    ['Active', activity(plan)],
    ['Next run', nextAt && `${nextAt}, in ${formatDuration(Date.parse(nextAt) - now)}`],
    ['Last run', lastRun && `${lastRun.name}: ${lastRun.phase}, ${formatAge(lastRun.createdAt, now)} ago`],
  ];
  return fields.flatMap(([label, value]) => (value === undefined ? [] : [`${label}: ${value}\n`])).join('');
}

function tableOf(settings: readonly PlanSetting[], colors: Colors): string {
  return formatTable<PlanSetting>(
    [
      { header: '  SETTING', value: ({ name }) => `  ${name}` },
      { header: 'VALUE', value: ({ value }) => (typeof value === 'string' ? value : JSON.stringify(value)) },
      {
        header: 'SET BY',
        value: ({ setBy }) => setBy,
        style: (text, { setBy }) => (setBy === 'default' ? colors.dim(text) : text),
      },
    ],
    settings,
  );
}
