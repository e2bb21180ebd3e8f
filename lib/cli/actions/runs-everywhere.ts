import { askClusters, fleetClusters } from '../cluster/fleet-clusters.ts';
import { FleetWatch, type LostCluster } from '../cluster/fleet-watch.ts';
import { lostLines } from '../cluster/lost-lines.ts';
import { newestFirst, runColumns, type ListedRun } from '../cluster/runs-view.ts';
import type { RunsOptions } from '../commands/runs.ts';
import type { CliContext } from '../context.ts';
import { exitCodes, ExitError } from '../errors.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { LiveBlock } from '../terminal/live-block.ts';
import { formatTable } from '../terminal/table.ts';
import type { Reflector } from '../../kube/reflector.ts';
import { jobs } from '../../kube/resources.ts';
import { isRunJob } from '../../runs/run-kinds.ts';
import type { RunJob } from '../../runs/run-objects.ts';
import { summaryOf, type RunSummary } from '../../runs/run-summary.ts';
import { isThere, listRuns, matches, tableOf, withDuration, type RunSelection } from './runs.ts';

/** Lists the runs of all clusters in one table, newest first; with `--watch` goes on until it is interrupted. */
export async function runsEverywhere(context: CliContext, select: RunSelection, options: RunsOptions): Promise<void> {
  if (options.watch) return watchEverywhere(context, select, options);
  const { err, cwd } = context;
  const answers = await askClusters(await fleetClusters(cwd), options, async (client, { name }) => {
    const found = await listRuns(client, select);
    return found.map((run): ListedRun => ({ cluster: name, ...run }));
  });
  const found = answers.flatMap((answer) => ('answer' in answer ? answer.answer : []));
  const shown = found.filter(matches(options)).sort(newestFirst);
  const unreachable = answers.flatMap((answer) => ('problem' in answer ? [answer] : []));
  await print(context, shown, unreachable, options);
  for (const { cluster, problem } of unreachable) err.line(`${err.colors.red('error:')} ${cluster}: ${problem}`);
  if (unreachable.length > 0) throw new ExitError(exitCodes.failed);
  if (shown.length === 0 && (options.output ?? 'wide') === 'wide') err.line('No runs found on any cluster.');
}

async function print(
  context: CliContext,
  shown: readonly ListedRun[],
  unreachable: readonly { readonly cluster: string; readonly problem: string }[],
  options: RunsOptions,
): Promise<void> {
  const { out } = context;
  const { output } = options;
  if (output === 'name')
    for (const { cluster, name } of shown.filter(isThere)) out.line(`${cluster}/job.batch/${name}`);
  else if (output === 'json' || output === 'yaml') {
    const document = { runs: shown.map(withDuration), unreachable };
    if (output === 'json') out.json(document);
    else await out.yaml(JSON.parse(JSON.stringify(document)));
  } else if (shown.length > 0) out.write(tableOf(context, shown, options));
}

/** On a terminal one table is drawn in place; elsewhere every change is a line, or one JSON document on a line. */
async function watchEverywhere(context: CliContext, select: RunSelection, options: RunsOptions): Promise<void> {
  const { out, err, cwd } = context;
  const { output } = options;
  const clusters = await fleetClusters(cwd);
  const drawn = out.isTerminal && (output === undefined || output === 'wide');
  const followed = new Map<string, Reflector<RunJob>>();
  let headers = true;
  const tellRun = (cluster: string, job: RunJob): void => {
    if (drawn || !isRunJob(job)) return;
    const run = { cluster, ...summaryOf(job) };
    if (!matches(options)(run)) return;
    if (output === 'name') out.line(`${cluster}/job.batch/${run.name}`);
    else if (output === 'json') out.line(JSON.stringify(withDuration(run)));
    else {
      const columns = runColumns(Date.now(), out.colors, options);
      out.write(formatTable(columns, [run], { wide: output === 'wide', headers }));
      headers = false;
    }
  };
  const tellLost = (cluster: string, lost: LostCluster | undefined): void => {
    if (drawn) return;
    if (output === 'json') return out.line(JSON.stringify({ cluster, reachable: !lost, problem: lost?.problem }));
    const { yellow } = err.colors;
    err.line(lost ? `${yellow('warning:')} ${cluster}: ${lost.problem}` : `${cluster} is heard again`);
  };
  const watch = new FleetWatch(options, tellLost);
  const block = new LiveBlock(out);
  const draw = (): void => {
    const found = [...followed].flatMap(([cluster, reflector]) =>
      [...reflector.values()].filter(isRunJob).map((job): RunSummary => ({ cluster, ...summaryOf(job) })),
    );
    const shown = found.filter(matches(options)).sort(newestFirst);
    const table = shown.length === 0 ? 'No runs found; waiting for some.' : tableOf(context, shown, options).trimEnd();
    block.draw([...lostLines(watch.lost, out.colors, Date.now()), ...table.split('\n')]);
  };
  await interruptible(async (signal) => {
    const timer = drawn ? setInterval(draw, 500) : undefined;
    try {
      await watch.run(
        clusters,
        (follow, { name }) =>
          followed.set(name, follow<RunJob>(jobs, { ...select, onChange: (job) => tellRun(name, job) })),
        signal,
      );
    } finally {
      clearInterval(timer);
    }
    signal.throwIfAborted();
  });
}
