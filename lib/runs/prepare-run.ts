import { taskSteps, type Graph } from '../graph/graph.ts';
import { annotations, CONTROLLER_NAME } from '../graph/labels.ts';
import type { KubeClient } from '../kube/client.ts';
import { annotationSizeProblems } from '../plans/run-job.ts';
import type { RunOverride } from '../pods/run-override.ts';
import type { JsonObject } from '../values/json.ts';
import { formatProblem, InvalidError, type Problem } from '../values/problems.ts';
import { WorkflowsError } from './errors.ts';
import { taskInputVariables, taskRun, workflowRun, type LaunchedJob } from './launch-job.ts';
import { stepPodProblems, taskName, taskPodProblems } from './launch-pods.ts';
import { requestOf, settingsOfSteps, settingsProblems, withSettings, type LaunchSettings } from './launch-settings.ts';
import { taskJobProblems } from './launch-step-jobs.ts';
import { fixedInputs } from './plan-inputs.ts';
import { mergeInputs, taskInputProblems, typedInputs, type GivenInputs } from './run-inputs.ts';
import type { PlanCronJob } from './run-objects.ts';
import { graphOf, readConfigMap } from './run-state.ts';
import { inputsOf } from './run-summary.ts';

/** A launch that was checked. */
export interface PreparedRun {
  /** Makes the Job of a run. */
  readonly job: (name: string) => LaunchedJob;
  /** Stands for all that was asked for, see {@link requestOf}. */
  readonly request: string;
}

/** A step as far as an override needs to know it. */
export interface LaunchedStep {
  readonly name: string;
  /** @default 'Pod' */
  readonly runAs?: 'Pod' | 'Job';
}

/** An override, or nothing when nothing is said; and all that is wrong with what is said. */
export interface CheckedOverride {
  readonly override?: RunOverride;
  readonly problems: readonly Problem[];
}

/** What a launch says of the runs that it starts. */
export interface GivenLaunch {
  readonly inputs: GivenInputs;
  /** What it changes of their pods, once the steps are known. @default nothing */
  readonly pods?: (steps: readonly LaunchedStep[]) => CheckedOverride;
  /** How they go, where that is not as the plan says. @default as it says */
  readonly settings?: LaunchSettings;
  /** What is wrong with the settings before they are looked at. @default nothing */
  readonly problems?: readonly Problem[];
  /** How a message names the place of a setting, such as `--labels` for `labels`. @default its path */
  readonly at?: (path: string) => string;
  /** Where they go, when that was said. */
  readonly cluster?: string;
}

/** Graphs that were read already, by the names of their ConfigMaps. */
export type ReadGraphs = Map<string, ReturnType<typeof readConfigMap>>;

/** Whether the controller of its cluster sequences the runs of a plan. */
export function isManaged(plan: PlanCronJob): boolean {
  return plan.spec.jobTemplate.spec.managedBy === CONTROLLER_NAME;
}

/**
 * Checks what a launch says, and gives what makes a Job of it.
 *
 * @param graphs those that were read already, for several plans of one namespace
 * @throws InvalidError with all that is wrong with them
 * @throws WorkflowsError when the graph of the plan is not there, or broken
 */
export async function prepareRun(
  client: KubeClient,
  plan: PlanCronJob,
  launch: GivenLaunch,
  graphs: ReadGraphs = new Map(),
): Promise<PreparedRun> {
  const told = settingsTold(plan, launch);
  const graphName = plan.spec.jobTemplate.metadata?.annotations?.[annotations.graph];
  if (graphName === undefined) return prepareTaskRun(plan, launch, told);
  return prepareWorkflowRun(client, plan, launch, told, await readGraph(client, plan, graphName, launch, graphs));
}

/** A run of a single task, whose pod is written in the plan. */
function prepareTaskRun(plan: PlanCronJob, launch: GivenLaunch, told: readonly Problem[]): PreparedRun {
  const { inputs: given, settings = {} } = launch;
  const { override, asked, problems } = checkedOverride(launch, [{ name: taskName(plan), runAs: 'Job' }]);
  if (override && problems.length === 0)
    problems.push(...taskPodProblems(plan, override), ...taskJobProblems(plan, override));
  const all = [...told, ...taskInputProblems(taskInputVariables(plan), fixedInputs(plan), given), ...problems];
  if (all.length > 0) throw new InvalidError(subjectOf(plan), all);
  const inputs: JsonObject = { ...given.values, ...given.texts };
  return {
    job: (name) => taskRun(plan, name, inputs, { ...settings, override }),
    request: requestOf(plan.metadata.name, inputs, settings, asked),
  };
}

async function prepareWorkflowRun(
  client: KubeClient,
  plan: PlanCronJob,
  launch: GivenLaunch,
  told: readonly Problem[],
  graph: Graph,
): Promise<PreparedRun> {
  const { inputs: given, settings = {} } = launch;
  const { metadata } = plan.spec.jobTemplate;
  const values = inputsOf({ ...metadata, creationTimestamp: new Date().toISOString() });
  const merged = mergeInputs({ schema: graph.inputs, values, fixed: fixedInputs(plan) }, given);
  const { override, asked, problems } = checkedOverride(launch, taskSteps(graph));
  if (override && problems.length === 0) problems.push(...(await stepPodProblems(client, plan, graph, override)));
  const all = [...told, ...(merged.ok ? [] : merged.problems), ...problems];
  if (!merged.ok || all.length > 0) throw new InvalidError(subjectOf(plan), all);
  const job = (name: string) => workflowRun(plan, name, merged.values, { ...settings, override });
  const tooLarge = [...annotationSizeProblems(job(plan.metadata.name).metadata.annotations ?? {})];
  if (tooLarge.length > 0) throw new InvalidError(subjectOf(plan), tooLarge);
  return { job, request: requestOf(plan.metadata.name, typedInputs(graph.inputs, given), settings, asked) };
}

async function readGraph(
  client: KubeClient,
  plan: PlanCronJob,
  name: string,
  { cluster }: GivenLaunch,
  graphs: ReadGraphs,
): Promise<Graph> {
  const read = graphs.get(name) ?? readConfigMap(client, name, plan.metadata.namespace);
  graphs.set(name, read);
  const map = await read;
  if (map === undefined) {
    const [where, fix] = cluster === undefined ? ['gone', 'the plan again'] : [`not on ${cluster}`, `${cluster} first`];
    const message = `${subjectOf(plan)}: the ConfigMap ${name} with its graph is ${where}; apply ${fix}`;
    throw new WorkflowsError('NotFound', message);
  }
  const { graph, problems = [] } = graphOf(map);
  if (graph !== undefined) return graph;
  const wrong = problems.map(formatProblem).join('; ');
  throw new WorkflowsError('Invalid', `${subjectOf(plan)}: its graph is not valid: ${wrong}`);
}

function subjectOf({ metadata }: PlanCronJob): string {
  return `Cannot launch ${metadata.name}`;
}

/** What is wrong with the settings for runs of this plan. */
function settingsTold(
  plan: PlanCronJob,
  { settings = {}, problems = [], at = (path) => path }: GivenLaunch,
): readonly Problem[] {
  const { name } = plan.metadata;
  const isTask = plan.spec.jobTemplate.metadata?.annotations?.[annotations.graph] === undefined;
  const unsaid = (why: string) => (path: string) => ({
    path: at(path),
    message: `says nothing of runs of ${name}: ${why}`,
    fix: 'leave it out',
  });
  const said = (fields: readonly (keyof LaunchSettings)[]) => fields.filter((field) => settings[field] !== undefined);
  return [
    ...problems,
    ...[...settingsProblems(settings)].map((problem) => ({ ...problem, path: at(problem.path) })),
    ...(isManaged(plan) ? [] : said(['priority']).map(unsaid('no controller sequences them'))),
    ...(isTask ? said(settingsOfSteps).map(unsaid('each is a single task')) : []),
  ];
}

/** What is changed of the pods, by the settings and by what is said of templates; nothing when anything is wrong with it. */
function checkedOverride({ pods, settings = {} }: GivenLaunch, steps: readonly LaunchedStep[]) {
  const { override: asked, problems } = pods?.(steps) ?? { problems: [] };
  if (problems.length > 0) return { problems: [...problems] };
  try {
    return { override: withSettings(asked, settings), asked, problems: [] as Problem[] };
  } catch (error) {
    if (error instanceof InvalidError) return { problems: [...error.problems] };
    throw error;
  }
}
