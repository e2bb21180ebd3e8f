import { findRun, withCluster } from '../cluster/cluster-session.ts';
import type { LogsOptions } from '../commands/logs.ts';
import type { CliContext } from '../context.ts';
import { FailedError, UsageError } from '../errors.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { LogPrinter } from '../cluster/runs/log-printer.ts';
import { noSuchStep } from '../cluster/runs/open-run.ts';
import { followLogs, readLogs, type LogSelection, type LogSink } from '../cluster/runs/run-logs.ts';
import { stepRecord } from '../../engine/phases.ts';
import { hasItems } from '../../graph/graph.ts';
import { findItem } from '../../graph/items.ts';
import { topology } from '../../graph/topology.ts';
import { readRunState, type RunState } from '../../runs/run-state.ts';
import { hasGraph, isOver, summaryOf } from '../../runs/run-summary.ts';

/** Shows the logs of a run. */
export async function logs(
  context: CliContext,
  run: string,
  step: string | undefined,
  options: LogsOptions,
): Promise<void> {
  const { attempt, allAttempts = false, tail, since, timestamps = false, follow = false } = options;
  if (attempt !== undefined && allAttempts) throw new UsageError('--attempt and --all-attempts exclude each other');
  const { out, err } = context;
  await withCluster(options, async (client) => {
    const state = await readRunState(client, await findRun(client, run));
    checkStep(state, step, attempt);
    const ofItems = state.graph?.steps.some((node) => node.name === step && hasItems(node)) ?? false;
    // One attempt of one step is its log and nothing else, fit for a pipe.
    const single = step !== undefined && !ofItems && !allAttempts && !follow;
    const printer = new LogPrinter(out, { prefixes: !single && state.graph !== undefined, timestamps });
    const sink: LogSink = {
      line: (title, line) => printer.print(title, line),
      note: (text) => err.line(err.colors.dim(text)),
    };
    for (const note of state.notes) sink.note(note);
    const selection: LogSelection = { step, ofItems, attempt, allAttempts, tailLines: tail, sinceSeconds: since };
    const goesOn = follow && !isOver(summaryOf(state.job).phase);
    await interruptible((signal) => (goesOn ? followLogs : readLogs)(client, state, selection, sink, signal));
  });
}

function checkStep({ graph, record, job }: RunState, step: string | undefined, attempt: number | undefined): void {
  if (step === undefined) return;
  const { name } = job.metadata;
  if (graph === undefined) {
    if (hasGraph(job)) return;
    throw new FailedError(`The run ${name} is a single task and has no steps; leave out "${step}"`);
  }
  const names = graph.steps.map((node) => node.name);
  const { map, item = 0 } = findItem(topology(graph), step) ?? {};
  if (!names.includes(step) && map === undefined) throw noSuchStep(name, step, names);
  const { items, indexes = items } = record?.steps.get(map?.name ?? '') ?? {};
  if (indexes !== undefined && item >= indexes)
    throw new FailedError(`The step ${map!.name} of ${name} has ${indexes} items, counted from 0, and no item ${item}`);
  const made = stepRecord(record, map?.kind === 'indexedMap' ? map.name : step)?.attempts.length ?? 0;
  if (attempt !== undefined && attempt > made && record !== undefined)
    throw new FailedError(
      `The step ${step} of ${name} has ${made === 0 ? 'no attempts yet' : `${made} attempts`}, and no attempt ${attempt}`,
    );
}
