import type { KubeClient } from '../../../kube/client.ts';
import { eachObject } from '../../../kube/pages.ts';
import { jobs } from '../../../kube/resources.ts';
import type { Problem } from '../../../values/problems.ts';
import { backfillId, backfillJob } from './backfill-job.ts';
import { backfillRuns, backfillTimes, kickoffProblems, type BackfillRequest } from './backfill-plan.ts';
import type { Backfill } from './make-backfill.ts';
import { planTimes } from './plan-times.ts';
import { isManaged, prepareRun, type GivenLaunch, type ReadGraphs } from '../../../runs/prepare-run.ts';
import type { PlanCronJob, RunJob } from '../../../runs/run-objects.ts';

/**
 * Checks a backfill of one plan, and finds out which of its runs exist. What is wrong comes all at once.
 *
 * @param problemsOf what an error says of the plan; it throws those that say something else
 */
export async function prepareBackfill(
  client: KubeClient,
  plan: PlanCronJob,
  {
    request,
    given,
    known,
    graphs,
    now,
    problemsOf,
  }: {
    readonly request: BackfillRequest;
    readonly given: GivenLaunch;
    /** The runs that exist, by name. */
    readonly known: ReadonlyMap<string, RunJob>;
    readonly graphs: ReadGraphs;
    readonly now: number;
    readonly problemsOf: (error: unknown) => readonly Problem[];
  },
): Promise<Backfill | readonly Problem[]> {
  const times = planTimes(plan);
  const chosen = backfillTimes(plan, times, request, now);
  const { texts = {}, values = {} } = given.inputs;
  const kickoff = kickoffProblems(plan, [...Object.keys(texts), ...Object.keys(values)]);
  const prepared = await prepareRun(client, plan, given, graphs).catch((error: unknown) => problemsOf(error));
  const problems = [...('times' in chosen ? [] : chosen), ...kickoff, ...('job' in prepared ? [] : prepared)];
  if (problems.length > 0 || !('times' in chosen) || !('job' in prepared)) return problems;
  const turns = { concurrency: request.concurrency, order: request.order };
  const id = backfillId(chosen.from, chosen.to);
  const held = isManaged(plan);
  return {
    plan,
    id,
    from: chosen.from,
    to: chosen.to,
    timeZone: plan.spec.timeZone,
    runs: backfillRuns(chosen.times, times!, request, known),
    turns,
    held,
    jobOf: ({ name, time }) => backfillJob(prepared.job(name), id, time, held ? turns : undefined),
  };
}

/** The runs that a selector finds, by name. */
export async function runsByName(client: KubeClient, labelSelector: string): Promise<ReadonlyMap<string, RunJob>> {
  const runs = new Map<string, RunJob>();
  for await (const job of eachObject<RunJob>(client, jobs, { labelSelector })) runs.set(job.metadata.name, job);
  return runs;
}
