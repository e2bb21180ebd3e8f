import { annotations } from '../graph/labels.ts';
import type { KubeClient } from '../kube/client.ts';
import { isAlreadyExists } from '../kube/errors.ts';
import { jobs } from '../kube/resources.ts';
import { contentHash } from '../values/hash.ts';
import { show } from '../values/problems.ts';
import { WorkflowsError } from './errors.ts';
import { found, type FindOptions } from './find.ts';
import { newRunName, type LaunchedJob } from './launch-job.ts';
import type { PlanCronJob, RunJob } from './run-objects.ts';

/** A launch that may be asked for several times, and comes to one run. */
export interface KeyedLaunch {
  readonly key: string;
  /** Stands for all that is asked: where it differs, one key was used for two things. */
  readonly request: string;
}

/** How a run begins. */
export interface StartOptions {
  /** @default one of the key, else `<plan>-<5 random>` */
  readonly name?: string;
  /** In place of a name. @default each launch is a run of its own */
  readonly keyed?: KeyedLaunch;
  /** Have the API server check it, and start nothing. @default false */
  readonly dryRun?: boolean;
  /** Who asked for it, where that is not who creates the Job. @default nobody is noted */
  readonly by?: string;
  readonly signal?: AbortSignal;
}

/** A run, and whether it was not there before. */
export interface Started {
  readonly job: RunJob;
  readonly created: boolean;
}

/** The name of the run of a key. With the longest name of a plan it is as long as a label may be. */
function keyedRunName(plan: string, key: string): string {
  return `${plan}-${contentHash(['idempotency key', plan, key])}`;
}

/**
 * Starts a run of a plan.
 *
 * @throws WorkflowsError when something else has its name, also a run of the same key that was asked for otherwise
 */
export async function startRun(
  client: KubeClient,
  plan: PlanCronJob,
  jobOf: (name: string) => LaunchedJob,
  { name, keyed, dryRun, by, signal }: StartOptions,
): Promise<Started> {
  const { name: planName, namespace } = plan.metadata;
  const wanted = name ?? (keyed ? keyedRunName(planName, keyed.key) : newRunName(planName, Math.random));
  const job = noted(jobOf(wanted), keyed, by);
  try {
    return { job: await client.create<RunJob>(jobs, job, { dryRun, namespace, signal }), created: true };
  } catch (cause) {
    if (!isAlreadyExists(cause)) throw cause;
    if (name !== undefined)
      throw new WorkflowsError('Conflict', `There is a Job "${name}" already; choose another name, or leave it out`, {
        cause,
      });
    const there = keyed
      ? await runOfKey(client, planName, keyed, { namespace, signal })
      : await found<RunJob>(client, jobs, wanted, { namespace, signal });
    if (there === undefined)
      throw new WorkflowsError('Conflict', `The run ${wanted} was deleted a moment ago; launch it again`, { cause });
    // Nobody else came upon the same random letters: an earlier try of this request was heard, and its answer lost.
    return { job: there, created: keyed === undefined };
  }
}

/**
 * The run that was started with a key, or nothing when there is none.
 *
 * @throws WorkflowsError when it was asked for otherwise
 */
export async function runOfKey(
  client: KubeClient,
  plan: string,
  { key, request }: KeyedLaunch,
  options: FindOptions,
): Promise<RunJob | undefined> {
  const job = await found<RunJob>(client, jobs, keyedRunName(plan, key), options);
  if (job === undefined) return undefined;
  const { name, annotations: notes, deletionTimestamp } = job.metadata;
  if (notes?.[annotations.idempotencyKey] !== key)
    throw new WorkflowsError(
      'Conflict',
      `The Job ${name} has the name of the key ${show(key)}, and is none of its runs`,
    );
  if (notes[annotations.request] !== request)
    throw new WorkflowsError(
      'Conflict',
      `The key ${show(key)} was used already, for the run ${name}, with other inputs or settings; use another key`,
    );
  if (deletionTimestamp !== undefined)
    throw new WorkflowsError('Conflict', `The run ${name} of the key ${show(key)} is being deleted`);
  return job;
}

function noted(job: LaunchedJob, keyed: KeyedLaunch | undefined, by: string | undefined): LaunchedJob {
  const { metadata } = job;
  const notes = {
    ...(keyed && { [annotations.idempotencyKey]: keyed.key, [annotations.request]: keyed.request }),
    ...(by !== undefined && { [annotations.launchedBy]: by }),
  };
  return { ...job, metadata: { ...metadata, annotations: { ...metadata.annotations, ...notes } } };
}
