import { clusterFlags, findRun, withCluster } from '../cluster/cluster-session.ts';
import type { CancelOptions } from '../commands/cancel.ts';
import type { CliContext } from '../context.ts';
import { FailedError, UsageError } from '../errors.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { annotations, type CancelMode } from '../../graph/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import { jobs } from '../../kube/resources.ts';
import { followRun } from '../../runs/follow-run.ts';
import type { RunJob } from '../../runs/run-objects.ts';
import { hasGraph, isOver, summaryOf } from '../../runs/run-summary.ts';

/** How much each mode stops: the engine goes to a stricter one only. */
const strictness: Readonly<Record<CancelMode, number>> = { Drain: 0, RunFinally: 1, Now: 2 };

/** Asks for the end of a run, and waits for it when told to. */
export async function cancel(context: CliContext, written: string, options: CancelOptions): Promise<void> {
  if (options.timeout !== undefined && !options.wait) throw new UsageError('--timeout needs --wait');
  const { out } = context;
  await withCluster(options, async (client) => {
    const job = await findRun(client, written);
    const { name } = job.metadata;
    const { phase } = summaryOf(job);
    if (phase === 'Cancelled') return out.line(`run ${name} is cancelled already`);
    if (isOver(phase)) throw new FailedError(`The run ${name} is over (${phase}); there is nothing to cancel`);
    const asked = job.metadata.annotations?.[annotations.cancel] as CancelMode | undefined;
    if (asked !== undefined && (strictness[asked] ?? -1) >= strictness[options.mode]) {
      out.line(`run ${name} is being cancelled already (${asked})`);
    } else {
      await client.patch(jobs, name, patchFor(job, options.mode), {
        type: 'merge',
        namespace: job.metadata.namespace,
        repeatable: true,
      });
      out.line(`run ${name} is being cancelled (${options.mode})`);
    }
    if (options.wait) await waitForEnd(context, client, job, options);
  });
}

/**
 * Nothing of ours looks at the Job of a single task: a deadline that has passed makes the built-in controller stop its pods and
 * keep the Job as failed. A suspended Job has no clock, so it goes on for that moment.
 */
function patchFor(job: RunJob, mode: CancelMode): object {
  const metadata = { annotations: { [annotations.cancel]: mode } };
  return hasGraph(job) ? { metadata } : { metadata, spec: { activeDeadlineSeconds: 1, suspend: false } };
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
