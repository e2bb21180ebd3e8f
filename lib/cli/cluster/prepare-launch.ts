import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { LaunchOptions } from '../commands/launch.ts';
import type { CliContext } from '../context.ts';
import { FailedError, UsageError } from '../errors.ts';
import { cacheMode } from '../options.ts';
import { checkOverride, type GivenOverride, type LaunchedStep } from '../pods/given-override.ts';
import { readOverride } from '../pods/read-override.ts';
import { taskSteps } from '../../graph/graph.ts';
import { annotations, CONTROLLER_NAME, type CacheMode } from '../../graph/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isAlreadyExists } from '../../kube/errors.ts';
import { jobs } from '../../kube/resources.ts';
import { formatProblem, InvalidError } from '../../values/problems.ts';
import {
  mergeInputs,
  parseInputFile,
  parseInputOptions,
  taskInputProblems,
  type GivenInputs,
} from './launch-inputs.ts';
import { newRunName, taskInputVariables, taskRun, workflowRun, type LaunchedJob } from './launch-job.ts';
import { stepPodProblems, taskName, taskPodProblems } from './launch-pods.ts';
import { taskJobProblems } from './launch-step-jobs.ts';
import { fixedInputs } from './plan-inputs.ts';
import type { PlanCronJob, RunJob } from './run-objects.ts';
import { graphOf, readConfigMap } from './run-state.ts';
import { inputsOf } from './run-summary.ts';

/** Makes the Job of a run that was checked. */
export type RunMaker = (name: string, cache: CacheMode | undefined) => LaunchedJob;

/** What the command line says of the runs that it starts. */
export interface GivenLaunch {
  readonly inputs: GivenInputs;
  readonly pods?: GivenOverride;
  readonly priority?: number;
  /** Where they go, when that was said. */
  readonly cluster?: string;
}

/**
 * Reads what the options say, before any cluster is asked.
 *
 * @throws UsageError or InvalidError for files and options that cannot be read
 */
export async function readLaunch(context: CliContext, options: LaunchOptions): Promise<GivenLaunch> {
  const [inputs, pods] = await Promise.all([givenInputs(context, options), readOverride(context.cwd, options)]);
  const { priority, cluster } = options;
  return { inputs, pods, priority, cluster };
}

/** Whether the controller of its cluster sequences the runs of a plan. */
export function isManaged(plan: PlanCronJob): boolean {
  return plan.spec.jobTemplate.spec.managedBy === CONTROLLER_NAME;
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

type Graphs = Map<string, ReturnType<typeof readConfigMap>>;

/**
 * Checks the inputs and what is changed of the pods, and gives what makes a Job of them.
 *
 * @param graphs those that were read already, for several plans of one namespace
 */
export async function runMaker(
  client: KubeClient,
  plan: PlanCronJob,
  { inputs: given, pods, priority, cluster }: GivenLaunch,
  graphs: Graphs = new Map(),
): Promise<RunMaker> {
  if (priority !== undefined && !isManaged(plan))
    throw new UsageError(`--priority says nothing of runs of ${plan.metadata.name}: no controller sequences them`);
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
  const read = graphs.get(graphName) ?? readConfigMap(client, graphName, plan.metadata.namespace);
  graphs.set(graphName, read);
  const map = await read;
  if (map === undefined) {
    const [where, fix] = cluster === undefined ? ['gone', 'the plan again'] : [`not on ${cluster}`, `${cluster} first`];
    throw new FailedError(`${subject}: the ConfigMap ${graphName} with its graph is ${where}; apply ${fix}`);
  }
  const { graph, problems: broken } = graphOf(map);
  if (graph === undefined)
    throw new FailedError(`${subject}: its graph is not valid: ${(broken ?? []).map(formatProblem).join('; ')}`);
  const merged = mergeInputs(
    { schema: graph.inputs, values: inputsOf({ ...metadata, creationTimestamp: new Date().toISOString() }), fixed },
    given,
  );
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
