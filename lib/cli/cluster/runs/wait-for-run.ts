import type { KubeClient } from '../../../kube/client.ts';
import { followRun } from '../../../runs/follow-run.ts';
import type { RunJob } from '../../../runs/run-objects.ts';
import type { CliContext } from '../../context.ts';
import { failuresText, valueLines } from './describe-view.ts';
import { ExitError, exitCodes, FailedError } from '../../errors.ts';
import { interruptible } from '../../terminal/interrupt.ts';
import { formatDuration } from '../../terminal/duration.ts';
import { clusterFlags } from '../cluster-session.ts';
import type { ClusterOptions } from '../../options.ts';
import { phaseStyle } from '../../terminal/phases.ts';
import { RunProgress } from './run-progress.ts';
import { runView, type RunView } from './run-view.ts';
import { elapsed } from '../../terminal/step-lines.ts';
import { tellingSteps } from './telling-steps.ts';

/** Of a large run that failed, so many lines of its steps are printed; `describe` shows all. */
const TABLE_LINES = 40;

/** How to wait. */
export interface WaitOptions extends ClusterOptions {
  /** Show progress meanwhile, on stderr. */
  readonly watch?: boolean;
  /** In seconds. @default no limit */
  readonly timeout?: number;
  readonly output?: 'json' | 'name' | 'yaml';
}

/**
 * Waits until a run is over and prints its result: outputs on stdout when it succeeded, the failure otherwise.
 *
 * @throws ExitError when it did not succeed, FailedError after the timeout
 */
export async function waitForRun(
  context: CliContext,
  client: KubeClient,
  job: RunJob,
  options: WaitOptions,
): Promise<void> {
  const { out, err, program } = context;
  const { name } = job.metadata;
  const progress = options.watch ? new RunProgress(context) : undefined;
  const state = await interruptible(async (interrupted) => {
    const signals = [interrupted];
    if (options.timeout !== undefined) signals.push(AbortSignal.timeout(options.timeout * 1000));
    try {
      const last = await followRun(client, job, {
        signal: AbortSignal.any(signals),
        onChange: (now) => progress?.show(now),
      });
      progress?.end(last);
      return last;
    } catch (error) {
      progress?.end();
      if (interrupted.aborted)
        err.line(`The run ${name} goes on; ${program} cancel ${name}${clusterFlags(options)} stops it.`);
      if (!(error instanceof Error) || error.name !== 'TimeoutError') throw error;
      const waited = formatDuration((options.timeout ?? 0) * 1000);
      throw new FailedError(
        `The run ${name} has not ended within ${waited}, and goes on: ${program} describe ${name}${clusterFlags(options)}`,
      );
    }
  });
  const run = runView(state, Date.now());
  if (options.output === 'json') out.json(run);
  else if (options.output === 'yaml') await out.yaml(JSON.parse(JSON.stringify(run)));
  else if (options.output === 'name') out.line(`job.batch/${name}`);
  else printResult(context, run, state.notes, options);
  if (run.phase !== 'Succeeded') throw new ExitError(exitCodes.failed);
}

function printResult(
  { out, err, env, program }: CliContext,
  run: RunView,
  notes: readonly string[],
  options: WaitOptions,
): void {
  const { colors } = err;
  const phases = phaseStyle(colors, env);
  const took = `after ${elapsed(run.durationSeconds)}`;
  if (run.phase === 'Succeeded') {
    err.line(`${phases.paint('Succeeded', phases.glyph('Succeeded'))} ${run.name} succeeded ${took}`);
    for (const line of valueLines(run.outputs)) out.line(line);
    return;
  }
  const why = run.message ?? run.reason;
  err.line(
    `${phases.paint('Failed', phases.glyph('Failed'))} ${run.name} ${run.phase.toLowerCase()} ${took}${why === undefined ? '' : `: ${why}`}`,
  );
  // The live picture has shown the steps already.
  const steps = options.watch ? [] : run.steps;
  const table = steps.length === 0 ? '' : `${tellingSteps(steps, TABLE_LINES, phases, colors).join('\n')}\n`;
  const failures = failuresText(run, { colors, now: Date.now(), program, flags: clusterFlags(options) });
  for (const part of [table, failures, ...notes.map((note) => `${note}\n`)]) if (part !== '') err.write(`\n${part}`);
}
