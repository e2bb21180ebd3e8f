import { withCluster } from '../cluster/cluster-session.ts';
import type { RunsOptions } from '../commands/runs.ts';
import type { CliContext } from '../context.ts';
import { labelSelectors } from '../cluster/label-selector.ts';
import { listRuns } from '../cluster/runs/list-runs.ts';
import { newestFirst, runColumns, type ListedRun } from '../cluster/runs/runs-view.ts';
import { formatTable } from '../terminal/table.ts';
import { labels } from '../../graph/labels.ts';
import { ALL_JOBS_SELECTOR, RUN_SELECTOR } from '../../runs/run-kinds.ts';
import { durationOf } from '../../runs/run-summary.ts';

/** Lists runs, from one list of Jobs, and two of what tells of those that were skipped; with `--watch` goes on until it is interrupted. */
export async function runs(context: CliContext, options: RunsOptions): Promise<void> {
  const chosen = chosenBy(options);
  const labelSelector = [options.children ? ALL_JOBS_SELECTOR : RUN_SELECTOR, ...chosen].join(',');
  const select = { namespace: options.allNamespaces ? null : undefined, labelSelector, chosen };
  if (options.allClusters) return (await import('./runs-everywhere.ts')).runsEverywhere(context, select, options);
  await withCluster(options, async (client) => {
    if (options.watch) return (await import('./watch-runs.ts')).watchRuns(context, client, select, options);
    const found = (await listRuns(client, select)).filter(matches(options)).sort(newestFirst);
    if (options.output !== undefined && options.output !== 'wide') return printObjects(context, found, options);
    if (found.length > 0) return context.out.write(tableOf(context, found, options));
    context.err.line(`No runs found${options.allNamespaces ? '' : ` in namespace ${client.namespace}`}.`);
  });
}

function chosenBy({ plan, group, workflow }: RunsOptions): readonly string[] {
  return labelSelectors([
    ['--plan', labels.plan, plan?.replace(/^plan\//, '')],
    ['--group', labels.group, group],
    ['--workflow', labels.workflow, workflow],
  ]);
}

export function matches({ phase }: RunsOptions): (run: ListedRun) => boolean {
  return (run) => phase === undefined || run.phase === phase;
}

export function tableOf({ out }: CliContext, found: readonly ListedRun[], options: RunsOptions): string {
  return formatTable(runColumns(Date.now(), out.colors, options), found, { wide: options.output === 'wide' });
}

async function printObjects({ out }: CliContext, found: readonly ListedRun[], { output }: RunsOptions): Promise<void> {
  if (output === 'name') return found.filter(isThere).forEach(({ name }) => out.line(`job.batch/${name}`));
  const rows = found.map(withDuration);
  if (output === 'yaml') await out.yaml(JSON.parse(JSON.stringify(rows)));
  else out.json(rows);
}

export function isThere({ phase }: ListedRun): boolean {
  return phase !== 'Skipped';
}

export function withDuration(run: ListedRun): object {
  const milliseconds = durationOf(run, Date.now());
  return { ...run, durationSeconds: milliseconds === undefined ? undefined : Math.round(milliseconds / 1000) };
}
