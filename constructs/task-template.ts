import type { V1EnvVar } from '@kubernetes/client-node/dist/gen/models/V1EnvVar.js';
import type { Duration } from 'cdk8s';
import type { Construct } from 'constructs';
import type { RetryPolicy } from '../lib/graph/retries.ts';
import { labels, MANAGED_BY } from '../lib/graph/labels.ts';
import { podFieldVariable } from '../lib/plans/driver.ts';
import { planLabels, type Whose } from '../lib/plans/run-job.ts';
import type { JobLayer, StepJob } from '../lib/pods/job-template.ts';
import type { Layer, LayerKind } from '../lib/pods/layer.ts';
import { MAIN_CONTAINER, OUTPUTS_PATH, type PodTemplate } from '../lib/pods/template.ts';
import { artifactsUri, encodeValue, escapeExpansion, inputVariable } from '../lib/values/environment.ts';
import type { JsonObject } from '../lib/values/json.ts';
import { lowestLayers, mergedOrProblems, notKnownAt, policyLayer } from './layers.ts';
import { retryPolicy } from './retries.ts';
import { seconds } from './settings.ts';
import { jobLayers, stepJob, stepJobProblems } from './step-job.ts';
import type { ExecutionSettings, Task } from './task.ts';
import { fillInputs } from './task-values.ts';
import type { Shape } from '../lib/values/shape.ts';

/** Where a pod that no engine starts learns the name of its run. */
const RUN_NAME = { pod: 'metadata.name', job: "metadata.labels['batch.kubernetes.io/job-name']" } as const;

/** What a use of a task says of its pod. */
export interface SingleUse {
  readonly inputs: JsonObject;
  readonly overrides: readonly Layer[];
  /** Of the object that it is run by. */
  readonly kind: keyof typeof RUN_NAME;
  /** @default the task's own */
  readonly attemptTimeout?: Duration;
  /** Begins the URI of what it stores elsewhere. @default none */
  readonly artifactRoot?: string | undefined;
  /** @default those of the task */
  readonly podLabels?: Readonly<Record<string, string>>;
}

/**
 * The pod of one task that Kubernetes runs by itself, as layers. It finds the same environment as in a workflow, but for
 * `WORKFLOW_ATTEMPT`: the Job controller does not tell a pod which attempt it is.
 */
export function taskLayers<I extends Shape, O extends Shape>(
  scope: Construct,
  task: Task<I, O>,
  { inputs, overrides, kind, attemptTimeout, artifactRoot, podLabels = taskLabels(task) }: SingleUse,
): readonly Layer[] {
  const variables: V1EnvVar[] = [
    ...Object.entries(inputs).map(([name, value]) => ({
      name: inputVariable(name),
      value: escapeExpansion(encodeValue(value)),
    })),
    podFieldVariable('WORKFLOW_RUN', RUN_NAME[kind]),
    { name: 'WORKFLOW_STEP', value: task.name },
    { name: 'WORKFLOW_OUTPUTS', value: OUTPUTS_PATH },
    ...(artifactRoot === undefined ? [] : artifactVariables(artifactRoot, task.name)),
  ];
  const environment = { spec: { containers: [{ name: MAIN_CONTAINER, env: variables }] } };
  const deadline = attemptTimeout ?? task.execution.attemptTimeout;
  const policy = policyLayer(scope);
  return [
    ...lowestLayers(scope),
    { kind: 'base', source: 'cdk8s-workflows', template: environment },
    ...fillInputs([...task.layers, ...overrides], task, (input) => inputs[input]),
    ...(deadline ? [deadlineLayer(task, seconds(deadline))] : []),
    { kind: 'base', source: 'cdk8s-workflows', template: { metadata: { labels: podLabels } } },
    ...(policy ? [policy] : []),
  ];
}

/** Where a run is, its pod alone knows. */
function artifactVariables(root: string, task: string): V1EnvVar[] {
  return [
    podFieldVariable('WORKFLOW_NAMESPACE', 'metadata.namespace'),
    {
      name: 'WORKFLOW_ARTIFACTS',
      value: artifactsUri(escapeExpansion(root), '$(WORKFLOW_NAMESPACE)', '$(WORKFLOW_RUN)', task),
    },
  ];
}

function deadlineLayer(task: Task<Shape, Shape>, activeDeadlineSeconds: number): Layer {
  return { kind: 'task', source: task.node.path, template: { spec: { activeDeadlineSeconds } } };
}

/** Labels of what a single task is run by. */
export function taskLabels(task: Task<Shape, Shape>, whose: Whose = {}): Record<string, string> {
  return { [labels.managedBy]: MANAGED_BY, [labels.task]: task.name, ...planLabels(whose) };
}

/** What a use of a task says of its Job. */
export interface SingleJob {
  readonly template: PodTemplate;
  /** What the task is given. */
  readonly inputs: JsonObject;
  readonly override: Pick<ExecutionSettings, 'retries' | 'timeout' | 'job'>;
  /** Whose the override is. */
  readonly kind: LayerKind;
}

/**
 * The Job of one task, with Kubernetes' own retries and deadline, and what is wrong with what is said of it.
 *
 * @param scope the construct that has it
 */
export function taskJob(scope: Construct, task: Task<Shape, Shape>, { template, inputs, override, kind }: SingleJob) {
  const { retries, timeout }: ExecutionSettings = { ...task.execution, ...override };
  const policy: RetryPolicy = retryPolicy(retries) ?? { limit: 0 };
  const given = (input: string) => inputs[input];
  const layers = [
    ...jobLayers(task, { scope, runAs: 'Job', overrides: [override], kind, given }),
    ...(timeout ? [jobDeadline(timeout, override.timeout ? { kind, source: scope.node.path } : taskOf(task))] : []),
  ];
  const merged = stepJob(layers);
  const problems = [
    ...stepJobProblems(layers, { runAs: 'Job', hasOutputs: false }),
    ...[...(merged?.places ?? [])].map(([place, hole]) => notKnownAt(`job.${place}`, hole, 'Job')),
  ];
  const { metadata, spec }: StepJob = (problems.length === 0 && merged?.job) || {};
  return {
    metadata,
    spec: {
      ...spec,
      backoffLimit: policy.limit,
      template,
    },
    problems,
  };
}

const taskOf = (task: Task<Shape, Shape>) => ({ kind: 'task', source: task.node.path }) as const;

/** A timeout goes over what `job` says, and the cluster's policy over both. */
function jobDeadline(timeout: Duration, whose: Pick<JobLayer, 'kind' | 'source'>): JobLayer {
  return { ...whose, job: { spec: { activeDeadlineSeconds: seconds(timeout) } } };
}

/** The inputs of a task that its pod, beside its variables, and the Job around it are made of. */
export function inputsInPod(task: Task<Shape, Shape>): ReadonlySet<string> {
  const inputs = new Set<string>();
  const ask = (input: string) => void inputs.add(input);
  mergedOrProblems(fillInputs(task.layers, task, ask));
  stepJob(jobLayers(task, { scope: task, runAs: 'Job', overrides: [], given: ask }));
  return inputs;
}
