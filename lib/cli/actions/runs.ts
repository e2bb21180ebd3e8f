import { withCluster } from '../cluster/cluster-session.ts';
import type { RunsOptions } from '../commands/runs.ts';
import type { CliContext } from '../context.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { LiveBlock } from '../terminal/live-block.ts';
import { labelSelectors } from '../cluster/label-selector.ts';
import { newestFirst, runColumns, type ListedRun } from '../cluster/runs-view.ts';
import { skippedRuns } from '../cluster/skipped-runs.ts';
import { formatTable } from '../terminal/table.ts';
import { labels } from '../../graph/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import { Reflector } from '../../kube/reflector.ts';
import { jobs } from '../../kube/resources.ts';
import { ALL_JOBS_SELECTOR, isRunJob, RUN_SELECTOR } from '../../runs/run-kinds.ts';
import type { RunJob } from '../../runs/run-objects.ts';
import { durationOf, summaryOf } from '../../runs/run-summary.ts';

/** Lists runs, from one list of Jobs and one of what plans skipped; with `--watch` goes on until it is interrupted. */
export async function runs(context: CliContext, options: RunsOptions): Promise<void> {
  const chosen = chosenBy(options);
  const labelSelector = [options.children ? ALL_JOBS_SELECTOR : RUN_SELECTOR, ...chosen].join(',');
  const select = { namespace: options.allNamespaces ? null : undefined, labelSelector, chosen };
  if (options.allClusters) return (await import('./runs-everywhere.ts')).runsEverywhere(context, select, options);
  await withCluster(options, async (client) => {
    if (options.watch) return watchRuns(context, client, select, options);
    const found = (await listRuns(client, select)).filter(matches(options)).sort(newestFirst);
    if (options.output !== undefined && options.output !== 'wide') return printObjects(context, found, options);
    if (found.length > 0) return context.out.write(tableOf(context, found, options));
    context.err.line(`No runs found${options.allNamespaces ? '' : ` in namespace ${client.namespace}`}.`);
  });
}

/** Which Jobs are looked at. */
export interface RunSelection {
  readonly namespace?: string | null;
  readonly labelSelector: string;
  /** The part of it that says of which plans. */
  readonly chosen: readonly string[];
}

/** The runs that there are, and the last that plans skipped. */
export async function listRuns(client: KubeClient, select: RunSelection): Promise<readonly ListedRun[]> {
  const { namespace, labelSelector, chosen } = select;
  const [{ items }, skipped] = await Promise.all([
    client.list<RunJob>(jobs, { namespace, labelSelector }),
    skippedRuns(client, namespace, chosen),
  ]);
  return [...items.filter(isRunJob).map(summaryOf), ...skipped];
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

/** On a terminal the table is drawn in place; elsewhere every change is a line, or one JSON document on a line. */
function watchRuns(context: CliContext, client: KubeClient, select: RunSelection, options: RunsOptions): Promise<void> {
  const { out, err } = context;
  const drawn = out.isTerminal && (options.output === undefined || options.output === 'wide');
  const block = new LiveBlock(out);
  const columns = () => runColumns(Date.now(), out.colors, options);
  let headers = true;
  const tell = (job: RunJob): void => {
    if (!isRunJob(job)) return;
    const run = summaryOf(job);
    if (drawn || !matches(options)(run)) return;
    if (options.output === 'name') out.line(`job.batch/${run.name}`);
    else if (options.output === 'json') out.line(JSON.stringify(withDuration(run)));
    else {
      out.write(formatTable(columns(), [run], { wide: options.output === 'wide', headers }));
      headers = false;
    }
  };
  const reflector = new Reflector<RunJob>(client, jobs, {
    ...select,
    onChange: tell,
    onError: (error) => {
      if (!drawn) err.line(`${err.colors.yellow('warning:')} ${(error as Error).message}`);
    },
  });
  const draw = (): void => {
    if (!drawn) return;
    const found = [...reflector.values()].filter(isRunJob).map(summaryOf).filter(matches(options)).sort(newestFirst);
    const table = found.length === 0 ? 'No runs found; waiting for some.' : tableOf(context, found, options).trimEnd();
    block.draw(table.split('\n'));
  };
  return interruptible(async (signal) => {
    reflector.start(signal);
    await reflector.synced();
    draw();
    const timer = setInterval(draw, 500);
    await reflector.stopped();
    clearInterval(timer);
    signal.throwIfAborted();
  });
}
