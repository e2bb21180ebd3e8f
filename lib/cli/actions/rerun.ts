import { countTakenOver, recoveredRecord } from '../../engine/recover.ts';
import { CONTROLLER_NAME } from '../../graph/labels.ts';
import { topology } from '../../graph/topology.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isAlreadyExists } from '../../kube/errors.ts';
import { jobs } from '../../kube/resources.ts';
import { found } from '../../runs/find.ts';
import type { RunJob } from '../../runs/run-objects.ts';
import { readRunState } from '../../runs/run-state.ts';
import { hasGraph, isOver, summaryOf } from '../../runs/run-summary.ts';
import { dnsLabelProblem, MAX_RUN_NAME } from '../../values/names.ts';
import { InvalidError, suggest } from '../../values/problems.ts';
import { clusterFlags, findRun, withCluster } from '../cluster/cluster-session.ts';
import { controllerWarning } from '../cluster/controller-seen.ts';
import { graphOfRun } from '../cluster/runs/open-run.ts';
import { printLaunched } from '../cluster/launch/print-launched.ts';
import {
  isCutShort,
  isSameRequest,
  rerunJob,
  rerunName,
  rerunNumber,
  type RerunRequest,
} from '../cluster/launch/rerun-job.ts';
import { waitForRun } from '../cluster/runs/wait-for-run.ts';
import type { RerunOptions } from '../commands/rerun.ts';
import type { CliContext } from '../context.ts';
import { FailedError, UsageError } from '../errors.ts';
import { cacheMode } from '../options.ts';

/** Creates a run that goes on from another one, and waits for it when asked to. */
export async function rerun(context: CliContext, written: string, options: RerunOptions): Promise<void> {
  const { all = false, step = [], name, timeout, runTimeout, dryRun } = options;
  const wrongName = name === undefined ? undefined : dnsLabelProblem(name, MAX_RUN_NAME);
  if (wrongName !== undefined) throw new UsageError(`--name ${JSON.stringify(name)} ${wrongName}`);
  const waits = options.watch || options.wait;
  if (timeout !== undefined && !waits) throw new UsageError('--timeout needs --watch or --wait');
  if (all && step.length > 0) throw new UsageError('--all and --step exclude each other');
  if (runTimeout === 0) throw new UsageError('--run-timeout must be at least 1s');
  const request = {
    all,
    steps: [...new Set(step)].sort(),
    cache: cacheMode(options),
    ...(runTimeout !== undefined && { timeoutSeconds: runTimeout }),
  };
  const { err, program } = context;
  const warn = (text: string) => err.line(`${err.colors.yellow('warning:')} ${text}`);
  await withCluster(options, async (client) => {
    const old = await findRun(client, written);
    const { phase } = summaryOf(old);
    const where = clusterFlags(options);
    if (!isOver(phase))
      throw new FailedError(
        `The run ${old.metadata.name} is not over (${phase}); wait for its end, or cancel it: ${program} cancel ${old.metadata.name}${where}`,
      );
    if (phase === 'Succeeded' && !all && step.length === 0)
      throw new FailedError(
        `The run ${old.metadata.name} has succeeded; name steps that shall run again with --step, or take --all`,
      );
    const takenOver = await plannedText(client, old, request);
    if (isCutShort(old) && runTimeout === undefined)
      warn('the timeout of the run is left out: its cancellation has overwritten it; --run-timeout gives another');
    const warning = old.spec.managedBy === CONTROLLER_NAME ? await controllerWarning(client, Date.now()) : undefined;
    if (warning !== undefined) warn(warning);
    const { job, isNew } = await create(client, old, request, options);
    const title = `run ${job.metadata.name}`;
    const isText = !waits && options.output === undefined;
    if (!isNew) (isText ? context.out : err).line(`${title} does this already`);
    if (dryRun || !waits) {
      if (isNew || !isText) await printLaunched(context, job, options, takenOver);
      return;
    }
    if (isNew && options.output === undefined) err.line(`${title} launched${takenOver}`);
    await waitForRun(context, client, job, options);
  });
}

/**
 * What the new run takes over, in words.
 *
 * @throws InvalidError, FailedError when it cannot go on from the old one
 */
async function plannedText(client: KubeClient, old: RunJob, { all, steps }: RerunRequest): Promise<string> {
  if (all || (!hasGraph(old) && steps.length === 0)) return '';
  const state = await readRunState(client, old);
  const graph = graphOfRun(state);
  const run = old.metadata.name;
  const names = graph.steps.map((node) => node.name);
  const problems = steps
    .filter((step) => !names.includes(step))
    .map((step) => {
      const near = suggest(step, names);
      return { path: `--step ${step}`, message: 'is no step of the run', ...(near !== undefined && { fix: near }) };
    });
  if (problems.length > 0) throw new InvalidError(`Cannot rerun ${run}`, problems);
  if (state.record === undefined) {
    const why = state.notes.length > 0 ? state.notes.join('; ') : `The run ${run} has left no record to go on from`;
    throw new FailedError(`${why}; --all runs it from the beginning`);
  }
  const record = recoveredRecord(topology(graph), { run, record: state.record, rerun: steps }, 0);
  return `: ${countTakenOver(record)} of ${names.length} steps are taken over from ${run}`;
}

/** Creates the run, or finds the one that does the same at this moment: an earlier request may have been heard and its answer lost. */
async function create(
  client: KubeClient,
  old: RunJob,
  request: RerunRequest,
  { name, dryRun }: RerunOptions,
): Promise<{ readonly job: RunJob; readonly isNew: boolean }> {
  for (let number = rerunNumber(old.metadata.name) + 1; ; number++) {
    const wanted = rerunJob(old, name ?? rerunName(old.metadata.name, number), request);
    const known = await found<RunJob>(client, jobs, wanted.metadata.name);
    const job = known ?? (await tryToCreate(client, wanted, dryRun));
    if (job === undefined) {
      number -= 1;
      continue;
    }
    if (known === undefined) return { job, isNew: true };
    if (isSameRequest(known, wanted as RunJob) && !isOver(summaryOf(known).phase)) return { job: known, isNew: false };
    if (name !== undefined)
      throw new FailedError(`There is a Job "${name}" already; choose another --name, or leave it out`);
  }
}

/** Nothing when somebody else was faster. */
async function tryToCreate(
  client: KubeClient,
  job: ReturnType<typeof rerunJob>,
  dryRun: boolean | undefined,
): Promise<RunJob | undefined> {
  try {
    return await client.create<RunJob>(jobs, job, { dryRun, namespace: job.metadata.namespace });
  } catch (error) {
    if (isAlreadyExists(error)) return undefined;
    throw error;
  }
}
