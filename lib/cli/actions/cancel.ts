import { clusterFlags, findRun, withCluster } from '../cluster/cluster-session.ts';
import type { CancelOptions } from '../commands/cancel.ts';
import type { CliContext } from '../context.ts';
import { FailedError, UsageError } from '../errors.ts';
import { interruptible } from '../terminal/interrupt.ts';
import type { KubeClient } from '../../kube/client.ts';
import { cancelRun } from '../../runs/cancel-run.ts';
import { followRun } from '../../runs/follow-run.ts';
import type { RunJob } from '../../runs/run-objects.ts';
import { summaryOf } from '../../runs/run-summary.ts';

/** Asks for the end of a run, and waits for it when told to. */
export async function cancel(context: CliContext, written: string, options: CancelOptions): Promise<void> {
  if (options.timeout !== undefined && !options.wait) throw new UsageError('--timeout needs --wait');
  const { out } = context;
  await withCluster(options, async (client) => {
    const job = await findRun(client, written);
    const { name } = job.metadata;
    const result = await cancelRun(client, job, options.mode);
    if (result.outcome === 'cancelled') return out.line(`run ${name} is cancelled already`);
    if (result.outcome === 'already') out.line(`run ${name} is being cancelled already (${result.mode})`);
    else out.line(`run ${name} is being cancelled (${options.mode})`);
    if (options.wait) await waitForEnd(context, client, job, options);
  });
}

async function waitForEnd(
  { out, program }: CliContext,
  client: KubeClient,
  job: RunJob,
  options: CancelOptions,
): Promise<void> {
  const { name } = job.metadata;
  await interruptible(async (interrupted) => {
    const limit = options.timeout === undefined ? [] : [AbortSignal.timeout(options.timeout * 1000)];
    try {
      const last = await followRun(client, job, { signal: AbortSignal.any([interrupted, ...limit]) });
      const { phase } = summaryOf(last.job);
      if (phase !== 'Cancelled') throw new FailedError(`The run ${name} ended before it was cancelled: ${phase}`);
      out.line(`run ${name} cancelled`);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'TimeoutError') throw error;
      throw new FailedError(
        `The run ${name} has not ended within ${options.timeout} s: ${program} describe ${name}${clusterFlags(options)}`,
        {
          cause: error,
        },
      );
    }
  });
}
