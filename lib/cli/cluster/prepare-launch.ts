import type { LaunchOptions } from '../commands/launch.ts';
import type { CliContext } from '../context.ts';
import { FailedError } from '../errors.ts';
import { readGivenInputs } from '../given-inputs.ts';
import { cacheMode } from '../options.ts';
import { checkOverride } from '../pods/given-override.ts';
import { readOverride } from '../pods/read-override.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isAlreadyExists } from '../../kube/errors.ts';
import { jobs } from '../../kube/resources.ts';
import { newRunName } from '../../runs/launch-job.ts';
import type { GivenLaunch, RunMaker } from '../../runs/prepare-run.ts';
import type { PlanCronJob, RunJob } from '../../runs/run-objects.ts';

/**
 * Reads what the options say, before any cluster is asked.
 *
 * @throws UsageError or InvalidError for files and options that cannot be read
 */
export async function readLaunch(context: CliContext, options: LaunchOptions): Promise<GivenLaunch> {
  const [inputs, pods] = await Promise.all([readGivenInputs(context.cwd, options), readOverride(context.cwd, options)]);
  const { priority, cluster } = options;
  return { inputs, ...(pods && { pods: (steps) => checkOverride(pods, steps) }), priority, cluster };
}

/** Starts a run of a plan. */
export async function createRun(
  client: KubeClient,
  plan: PlanCronJob,
  make: RunMaker,
  { name, dryRun, ...options }: LaunchOptions,
): Promise<RunJob> {
  const job = make(name ?? newRunName(plan.metadata.name, Math.random), cacheMode(options));
  try {
    return await client.create<RunJob>(jobs, job, { dryRun, namespace: plan.metadata.namespace });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    // Nobody else came upon the same random letters: an earlier try of this request was heard, and its answer lost.
    if (name === undefined) return client.get<RunJob>(jobs, job.metadata.name, { namespace: plan.metadata.namespace });
    throw new FailedError(`There is a Job "${name}" already; choose another --name, or leave it out`, { cause: error });
  }
}
