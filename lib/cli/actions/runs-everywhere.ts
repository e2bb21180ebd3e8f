import { askClusters, fleetClusters } from '../cluster/fleet/fleet-clusters.ts';
import { FleetWatch, type LostCluster } from '../cluster/fleet/fleet-watch.ts';
import { lostLines } from '../cluster/fleet/lost-lines.ts';
import { listRuns, type RunSelection } from '../cluster/runs/list-runs.ts';
import { newestFirst, type ListedRun } from '../cluster/runs/runs-view.ts';
import { WatchedRuns } from '../cluster/runs/watched-runs.ts';
import type { RunsOptions } from '../commands/runs.ts';
import type { CliContext } from '../context.ts';
import { exitCodes, ExitError } from '../errors.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { LiveBlock } from '../terminal/live-block.ts';
import { isThere, matches, tableOf, withDuration } from './runs.ts';
import { RunTable, SHOW_MS } from './watch-runs.ts';

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
  const clusters = await fleetClusters(cwd);
  const table = new RunTable(context, options);
  const watched = new Map<string, WatchedRuns>();
  const tellLost = (cluster: string, lost: LostCluster | undefined): void => {
    if (table.drawn) return;
    if (options.output === 'json')
      return out.line(JSON.stringify({ cluster, reachable: !lost, problem: lost?.problem }));
    const { yellow } = err.colors;
    err.line(lost ? `${yellow('warning:')} ${cluster}: ${lost.problem}` : `${cluster} is heard again`);
  };
  const watch = new FleetWatch(options, tellLost);
  const block = new LiveBlock(out);
  const show = (): void => {
    const all = [...watched];
    if (!table.drawn)
      for (const [cluster, runs] of all) for (const run of runs.newlySkipped()) table.tell({ cluster, ...run });
    else {
      const rows = all.flatMap(([cluster, runs]) => runs.rows().map((run): ListedRun => ({ cluster, ...run })));
      block.draw([...lostLines(watch.lost, out.colors, Date.now()), ...table.lines(rows)]);
    }
  };
  await interruptible(async (signal) => {
    const timer = setInterval(show, SHOW_MS);
    try {
      await watch.run(
        clusters,
        (follow, { name: cluster }) =>
          watched.set(cluster, new WatchedRuns(follow, select, (run) => table.tell({ cluster, ...run }))),
        signal,
      );
    } finally {
      clearInterval(timer);
    }
    signal.throwIfAborted();
  });
}
