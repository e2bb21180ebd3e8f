import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { findPlan, withCluster } from '../cluster/cluster-session.ts';
import type { LaunchOptions } from '../commands/launch.ts';
import type { CliContext } from '../context.ts';
import { controllerWarning } from '../cluster/controller-seen.ts';
import { FailedError, UsageError } from '../errors.ts';
import { cacheMode } from '../options.ts';
import {
  mergeInputs,
  parseInputFile,
  parseInputOptions,
  taskInputProblems,
  type GivenInputs,
} from '../cluster/launch-inputs.ts';
import { newRunName, taskInputVariables, taskRun, workflowRun, type LaunchedJob } from '../cluster/launch-job.ts';
import { findPlanFor } from '../cluster/plan-elsewhere.ts';
import { checkLaunch } from '../cluster/launch-preflight.ts';
import { printLaunched } from '../cluster/print-launched.ts';
import { stepPodProblems, taskName, taskPodProblems } from '../cluster/launch-pods.ts';
import { taskJobProblems } from '../cluster/launch-step-jobs.ts';
import type { PlanCronJob, RunJob } from '../cluster/run-objects.ts';
import { graphOf, readConfigMap } from '../cluster/run-state.ts';
import { fixedInputs } from '../cluster/plan-inputs.ts';
import { inputsOf } from '../cluster/run-summary.ts';
import { waitForRun } from '../cluster/wait-for-run.ts';
import { checkOverride, type GivenOverride, type LaunchedStep } from '../pods/given-override.ts';
import { readOverride } from '../pods/read-override.ts';
import { taskSteps } from '../../graph/graph.ts';
import { annotations, CONTROLLER_NAME, type CacheMode } from '../../graph/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isAlreadyExists } from '../../kube/errors.ts';
import { jobs } from '../../kube/resources.ts';
import { dnsLabelProblem, MAX_RUN_NAME } from '../../values/names.ts';
import { formatProblem, InvalidError } from '../../values/problems.ts';

/** Creates a run of a plan, and waits for it when asked to. */
export async function launch(context: CliContext, planName: string, options: LaunchOptions): Promise<void> {
  const wrongName = options.name === undefined ? undefined : dnsLabelProblem(options.name, MAX_RUN_NAME);
  if (wrongName !== undefined) throw new UsageError(`--name ${JSON.stringify(options.name)} ${wrongName}`);
  if (options.timeout !== undefined && !options.watch && !options.wait)
    throw new UsageError('--timeout needs --watch or --wait');
  const [given, pods] = await Promise.all([givenInputs(context, options), readOverride(context.cwd, options)]);
  await withCluster(options, async (client) => {
    const { cluster } = options;
    const plan =
      cluster === undefined
        ? await findPlan(client, planName)
        : await findPlanFor(client, planName, { cluster, cwd: context.cwd });
    const managed = plan.spec.jobTemplate.spec.managedBy === CONTROLLER_NAME;
    if (options.priority !== undefined && !managed)
      throw new UsageError(`--priority says nothing of runs of ${planName}: no controller sequences them`);
    const [warning, make] = await Promise.all([
      managed ? controllerWarning(client, Date.now()) : undefined,
      runMaker(client, plan, given, pods, options),
    ]);
    if (warning !== undefined) context.err.line(`${context.err.colors.yellow('warning:')} ${warning}`);
    if (cluster !== undefined)
      await checkLaunch(context, client, cluster, make(plan.metadata.name, cacheMode(options)));
    const job = await create(client, plan, make, options);
    const where = cluster === undefined ? '' : ` on ${cluster}`;
    if (options.dryRun || !(options.watch || options.wait)) return printLaunched(context, job, options, where);
    if (options.output === undefined) context.err.line(`run ${job.metadata.name} launched${where}`);
    await waitForRun(context, client, job, options);
  });
}

async function givenInputs(context: CliContext, { input = [], inputFile }: LaunchOptions): Promise<GivenInputs> {
  const { texts, problems } = parseInputOptions(input);
  if (inputFile === undefined) return { texts, file: {}, problems };
  const { parse } = await import('yaml');
  let content: unknown;
  try {
    content = parse(await readFile(resolve(context.cwd, inputFile), 'utf8'));
  } catch (error) {
    throw new UsageError(`--input-file ${inputFile} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  const file = parseInputFile(content, inputFile);
  return { texts, file: file.file, problems: [...problems, ...file.problems] };
}

type RunMaker = (name: string, cache: CacheMode | undefined) => LaunchedJob;

/** Checks the inputs and what is changed of the pods, and gives what makes a Job of them. */
async function runMaker(
  client: KubeClient,
  plan: PlanCronJob,
  given: GivenInputs,
  pods: GivenOverride | undefined,
  { priority, cluster }: LaunchOptions,
): Promise<RunMaker> {
  const { metadata } = plan.spec.jobTemplate;
  const subject = `Cannot launch ${plan.metadata.name}`;
  const fixed = fixedInputs(plan);
  const graphName = metadata?.annotations?.[annotations.graph];
  if (graphName === undefined) {
    const { override, problems } = checkedOverride(pods, [{ name: taskName(plan), runAs: 'Job' }]);
    if (override && problems.length === 0)
      problems.push(...taskPodProblems(plan, override), ...taskJobProblems(plan, override));
    problems.unshift(...taskInputProblems(taskInputVariables(plan), fixed, given));
    if (problems.length > 0) throw new InvalidError(subject, problems);
    return (name) => taskRun(plan, name, { ...given.file, ...given.texts }, override);
  }
  const map = await readConfigMap(client, graphName, plan.metadata.namespace);
  if (map === undefined) {
    const [where, fix] = cluster === undefined ? ['gone', 'the plan again'] : [`not on ${cluster}`, `${cluster} first`];
    throw new FailedError(`${subject}: the ConfigMap ${graphName} with its graph is ${where}; apply ${fix}`);
  }
  const { graph, problems: broken } = graphOf(map);
  if (graph === undefined)
    throw new FailedError(`${subject}: its graph is not valid: ${(broken ?? []).map(formatProblem).join('; ')}`);
  const merged = mergeInputs({ schema: graph.inputs, values: inputsOf(metadata), fixed }, given);
  const { override, problems } = checkedOverride(pods, taskSteps(graph));
  if (override && problems.length === 0) problems.push(...(await stepPodProblems(client, plan, graph, override)));
  if (!merged.ok) throw new InvalidError(subject, [...merged.problems, ...problems]);
  if (problems.length > 0) throw new InvalidError(subject, problems);
  return (name, cache) => workflowRun(plan, name, merged.values, { override, priority, cache });
}

function checkedOverride(pods: GivenOverride | undefined, steps: readonly LaunchedStep[]) {
  const { override, problems } = pods === undefined ? { problems: [] } : checkOverride(pods, steps);
  return { override, problems: [...problems] };
}

async function create(
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
