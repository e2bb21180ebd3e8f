import type { KubeClient } from '../kube/client.ts';
import type { CliContext } from './context.ts';
import { describeText, valueLines } from './describe-view.ts';
import { ExitError, exitCodes, FailedError } from './errors.ts';
import { followRun } from './follow-run.ts';
import { interruptible } from './interrupt.ts';
import { formatDuration } from './duration.ts';
import type { RunJob } from './run-objects.ts';
import { RunProgress } from './run-progress.ts';
import { runView, type RunView } from './run-view.ts';
import { elapsed } from './step-lines.ts';

/** How to wait. */
export interface WaitOptions {
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
  const progress = options.watch ? new RunProgress(err) : undefined;
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
      if (interrupted.aborted) err.line(`The run ${name} goes on; ${program} cancel ${name} stops it.`);
      if (!(error instanceof Error) || error.name !== 'TimeoutError') throw error;
      const waited = formatDuration((options.timeout ?? 0) * 1000);
      throw new FailedError(`The run ${name} has not ended within ${waited}, and goes on: ${program} describe ${name}`);
    }
  });
  const run = runView(state, Date.now());
  if (options.output === 'json') out.json(run);
  else if (options.output === 'yaml') await out.yaml(JSON.parse(JSON.stringify(run)));
  else if (options.output === 'name') out.line(`job.batch/${name}`);
  else printResult(context, run, state.notes);
  if (run.phase !== 'Succeeded') throw new ExitError(exitCodes.failed);
}

function printResult({ out, err, program }: CliContext, run: RunView, notes: readonly string[]): void {
  if (run.phase === 'Succeeded') {
    err.line(`${err.colors.green('✓')} ${run.name} succeeded after ${elapsed(run.durationSeconds)}`);
    for (const line of valueLines(run.outputs)) out.line(line);
    return;
  }
  const { colors } = err;
  err.line(`${colors.red('✗')} ${run.name} ${run.phase.toLowerCase()} after ${elapsed(run.durationSeconds)}`);
  err.line();
  err.write(describeText({ run, notes, pods: [], events: [] }, { colors, now: Date.now(), program }));
}
