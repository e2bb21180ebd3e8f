import { setTimeout } from 'node:timers/promises';
import { HAND_MANAGER } from '../../../fleet/apply/field-managers.ts';
import { inParallel } from '../../../fleet/in-parallel.ts';
import { kickoffText } from '../../../graph/kickoff.ts';
import { annotations, labels, type Backfilling } from '../../../graph/labels.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { isAlreadyExists, isConflict, isForbidden, isNotFound } from '../../../kube/errors.ts';
import { cronJobs, jobs } from '../../../kube/resources.ts';
import { FailedError } from '../../errors.ts';
import type { BackfillRun } from './backfill-plan.ts';
import type { BackfillWatch } from './backfill-watch.ts';
import type { LaunchedJob } from '../../../runs/launch-job.ts';
import type { PlanCronJob, RunJob } from '../../../runs/run-objects.ts';

const REQUESTS_AT_ONCE = 8;

/** How often a run of which something is left is looked at again. */
const LEFT_MS = 200;

/** A backfill of one plan that was checked. */
export interface Backfill {
  readonly plan: PlanCronJob;
  /** The label that its runs share. */
  readonly id: string;
  /** From when on, and before when, in milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly timeZone?: string;
  /** In the order in which they begin. */
  readonly runs: readonly BackfillRun[];
  readonly turns: Backfilling;
  /** Whether the controller lets them take turns; else it is for us to start each when one has ended. */
  readonly held: boolean;
  readonly jobOf: (run: BackfillRun) => LaunchedJob;
}

/** The runs of a backfill that are to be made. */
export function wanted({ runs }: Backfill): readonly BackfillRun[] {
  return runs.filter(({ action }) => action !== 'exists');
}

/** How a backfill is made. */
export interface MakeOptions {
  readonly signal: AbortSignal;
  /** Needed where nobody holds the runs. */
  readonly watch?: BackfillWatch;
  /** A run was made; or was there, as somebody else was faster. */
  readonly onMade: (run: BackfillRun, job: RunJob, isNew: boolean) => void;
}

/** Makes all runs of a backfill that do not exist. Done again, it goes on where it was interrupted. */
export async function makeBackfill(
  client: KubeClient,
  backfill: Backfill,
  { signal, watch, onMade }: MakeOptions,
): Promise<void> {
  const make = async (run: BackfillRun) => {
    signal.throwIfAborted();
    const { job, isNew } = await makeRun(client, backfill, run, signal);
    watch?.made(job);
    onMade(run, job, isNew);
  };
  await turnOver(client, backfill, signal);
  const missing = wanted(backfill);
  const { concurrency } = backfill.turns;
  if (backfill.held) {
    await changeTurns(client, backfill, signal);
    // The controller begins what it sees, and it sees them in the order in which they were made.
    return void (await inParallel(missing, concurrency < missing.length ? 1 : REQUESTS_AT_ONCE, make));
  }
  const names = new Set(backfill.runs.map(({ name }) => name));
  for (const run of missing) {
    await watch?.untilOpen(concurrency - 1, (name) => names.has(name));
    await make(run);
  }
}

/**
 * Tells the CronJob that its last time was dealt with. One that is activated makes up for the last time that it missed; the run of a backfill, whose name
 * keeps it from that, may be tidied away by then. (pkg/controller/cronjob: syncCronJob)
 */
async function turnOver(client: KubeClient, { plan, runs }: Backfill, signal: AbortSignal): Promise<void> {
  const { name, namespace, creationTimestamp } = plan.metadata;
  // What its CronJob makes each minute has other names than the runs.
  if (plan.spec.jobTemplate.metadata?.annotations?.[annotations.every] !== undefined) return;
  const newest = Math.max(...runs.map(({ time }) => time));
  const seen = Date.parse(plan.status?.lastScheduleTime ?? creationTimestamp ?? '');
  if (newest <= seen) return;
  const patch = { status: { lastScheduleTime: kickoffText(newest) } };
  const options = { type: 'merge', namespace, signal, repeatable: true, fieldManager: HAND_MANAGER } as const;
  try {
    await client.patch(cronJobs, name, patch, { ...options, subresource: 'status' });
  } catch (error) {
    if (!isForbidden(error)) throw error;
    throw new FailedError(
      `Cannot tell the plan ${name} that its times until ${kickoffText(newest)} are made up for: it would start the last of them once more. Allow patch of cronjobs/status, or end --to before ${plan.status?.lastScheduleTime ?? creationTimestamp}`,
      { cause: error },
    );
  }
}

/** Runs that wait from before get the concurrency and order that are asked for now. */
async function changeTurns(client: KubeClient, { id, runs, turns }: Backfill, signal: AbortSignal): Promise<void> {
  const note = JSON.stringify(turns);
  const changed = runs.flatMap(({ existing, action }) =>
    action === 'exists' &&
    existing?.status?.startTime === undefined &&
    existing?.metadata.labels?.[labels.backfill] === id &&
    existing.metadata.annotations?.[annotations.backfill] !== note
      ? existing
      : [],
  );
  await inParallel(changed, REQUESTS_AT_ONCE, async ({ metadata: { name, namespace, uid } }) => {
    const patch = { metadata: { uid, annotations: { [annotations.backfill]: note } } };
    await client.patch(jobs, name, patch, { type: 'merge', namespace, signal, repeatable: true }).catch(ignoreGone);
  });
}

async function makeRun(
  client: KubeClient,
  { plan, jobOf }: Backfill,
  run: BackfillRun,
  signal: AbortSignal,
): Promise<{ readonly job: RunJob; readonly isNew: boolean }> {
  const { namespace } = plan.metadata;
  const old = run.existing?.metadata.uid;
  if (old !== undefined)
    await client
      .delete(jobs, run.name, { namespace, uid: old, propagationPolicy: 'Background', signal })
      .catch((error: unknown) => {
        // Another one of that name is there already.
        if (!isNotFound(error) && !isConflict(error)) throw error;
      });
  for (;;) {
    try {
      return { job: await client.create<RunJob>(jobs, jobOf(run), { namespace, signal }), isNew: true };
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const known = await client.get<RunJob>(jobs, run.name, { namespace, signal }).catch(ignoreGone);
      if (known === undefined) continue;
      const { uid, deletionTimestamp, labels: given } = known.metadata;
      if (given?.[labels.plan] !== plan.metadata.name)
        throw new FailedError(`There is a Job "${run.name}" that is no run of ${plan.metadata.name}: delete it`, {
          cause: error,
        });
      if (uid !== old && deletionTimestamp === undefined) return { job: known, isNew: false };
      await setTimeout(LEFT_MS, undefined, { signal });
    }
  }
}

function ignoreGone(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}
