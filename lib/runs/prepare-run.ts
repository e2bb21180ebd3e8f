import { taskSteps } from '../graph/graph.ts';
import { annotations, CONTROLLER_NAME, type CacheMode } from '../graph/labels.ts';
import { runPolicyProblems, type RunPolicy } from '../graph/run-policy.ts';
import type { KubeClient } from '../kube/client.ts';
import type { RunOverride } from '../pods/run-override.ts';
import { formatProblem, InvalidError, type Problem } from '../values/problems.ts';
import { WorkflowsError } from './errors.ts';
import { taskInputVariables, taskRun, workflowRun, type LaunchedJob } from './launch-job.ts';
import { stepPodProblems, taskName, taskPodProblems } from './launch-pods.ts';
import { taskJobProblems } from './launch-step-jobs.ts';
import { fixedInputs } from './plan-inputs.ts';
import { mergeInputs, taskInputProblems, type GivenInputs } from './run-inputs.ts';
import type { PlanCronJob } from './run-objects.ts';
import { graphOf, readConfigMap } from './run-state.ts';
import { inputsOf } from './run-summary.ts';

/** Makes the Job of a run that was checked. */
export type RunMaker = (name: string, cache?: CacheMode) => LaunchedJob;

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
  readonly priority?: number;
  /** How they go, where that is not as the plan says. @default as it says */
  readonly policy?: RunPolicy;
  /** How many steps of each may run at once. @default as the plan says */
  readonly parallelism?: number;
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
 * Checks the inputs and what is changed of the pods, and gives what makes a Job of them.
 *
 * @param graphs those that were read already, for several plans of one namespace
 * @throws InvalidError with all that is wrong with them
 * @throws WorkflowsError when the graph of the plan is not there, or broken
 */
export async function runMaker(
  client: KubeClient,
  plan: PlanCronJob,
  { inputs: given, pods, priority, policy = {}, parallelism, cluster }: GivenLaunch,
  graphs: ReadGraphs = new Map(),
): Promise<RunMaker> {
  const { metadata } = plan.spec.jobTemplate;
  const subject = `Cannot launch ${plan.metadata.name}`;
  const fixed = fixedInputs(plan);
  const unsaid = priority === undefined || isManaged(plan) ? [] : [priorityProblem(plan)];
  const graphName = metadata?.annotations?.[annotations.graph];
  if (graphName === undefined) {
    const { override, problems } = checkedOverride(pods, [{ name: taskName(plan), runAs: 'Job' }]);
    if (override && problems.length === 0)
      problems.push(...taskPodProblems(plan, override), ...taskJobProblems(plan, override));
    problems.unshift(
      ...unsaid,
      ...ofNoTask(plan, { ...policy, parallelism }),
      ...taskInputProblems(taskInputVariables(plan), fixed, given),
    );
    if (problems.length > 0) throw new InvalidError(subject, problems);
    return (name) => taskRun(plan, name, { ...given.values, ...given.texts }, override);
  }
  const read = graphs.get(graphName) ?? readConfigMap(client, graphName, plan.metadata.namespace);
  graphs.set(graphName, read);
  const map = await read;
  if (map === undefined) {
    const [where, fix] = cluster === undefined ? ['gone', 'the plan again'] : [`not on ${cluster}`, `${cluster} first`];
    throw new WorkflowsError(
      'NotFound',
      `${subject}: the ConfigMap ${graphName} with its graph is ${where}; apply ${fix}`,
    );
  }
  const { graph, problems: broken } = graphOf(map);
  if (graph === undefined)
    throw new WorkflowsError(
      'Invalid',
      `${subject}: its graph is not valid: ${(broken ?? []).map(formatProblem).join('; ')}`,
    );
  const merged = mergeInputs(
    { schema: graph.inputs, values: inputsOf({ ...metadata, creationTimestamp: new Date().toISOString() }), fixed },
    given,
  );
  const { override, problems } = checkedOverride(pods, taskSteps(graph));
  if (override && problems.length === 0) problems.push(...(await stepPodProblems(client, plan, graph, override)));
  const all = [...unsaid, ...runPolicyProblems(policy), ...(merged.ok ? [] : merged.problems), ...problems];
  if (!merged.ok || all.length > 0) throw new InvalidError(subject, all);
  return (name, cache) => workflowRun(plan, name, merged.values, { override, priority, policy, parallelism, cache });
}

function priorityProblem({ metadata }: PlanCronJob): Problem {
  const message = `says nothing of runs of ${metadata.name}: no controller sequences them`;
  return { path: 'priority', message, fix: 'leave it out' };
}

/** What is said of the steps of a run, of one that has none. */
function* ofNoTask({ metadata }: PlanCronJob, said: object): Generator<Problem> {
  for (const [path, value] of Object.entries(said))
    if (value !== undefined)
      yield { path, message: `says nothing of runs of ${metadata.name}: each is a single task`, fix: 'leave it out' };
}

function checkedOverride(pods: GivenLaunch['pods'], steps: readonly LaunchedStep[]) {
  const { override, problems } = pods?.(steps) ?? { problems: [] };
  return { override, problems: [...problems] };
}
