import { annotations, labels, MANAGED_BY, type CacheMode } from '../graph/labels.ts';
import { runPolicyNotes, type RunPolicy } from '../graph/run-policy.ts';
import type { NewObject } from '../kube/objects.ts';
import { encodeValue, escapeExpansion, inputVariable } from '../values/environment.ts';
import { canonicalJson, type Json, type JsonObject } from '../values/json.ts';
import type { RunOverride } from '../pods/run-override.ts';
import { taskPod } from './launch-pods.ts';
import { withTaskJob } from './launch-step-jobs.ts';
import type { Container, JobSpec, PlanCronJob, PodTemplateObject } from './run-objects.ts';

/** The Job of a run that is yet to be created. */
export type LaunchedJob = NewObject & { metadata: { name: string; namespace?: string } };

/** The letters and digits of Kubernetes' own random names: none that make words, none that look alike. (apimachinery/pkg/util/rand) */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** The longest name of a Job: it becomes a label of its pods. */
const MAX_JOB_NAME = 63;

/** A name for a new run of a plan: `<plan>-<5 random>`. */
export function newRunName(plan: string, random: () => number): string {
  const end = Array.from({ length: 5 }, () => ALPHABET[Math.floor(random() * ALPHABET.length)]).join('');
  return `${plan.slice(0, MAX_JOB_NAME - 6).replace(/[-.]+$/, '')}-${end}`;
}

/** What a launch says of a run beside its inputs. */
export interface WorkflowRunOptions {
  readonly override?: RunOverride | undefined;
  readonly priority?: number | undefined;
  readonly policy?: RunPolicy | undefined;
  readonly parallelism?: number | undefined;
  readonly cache?: CacheMode | undefined;
}

/** A run of a workflow, as `kubectl create job --from` would make it, with these inputs and changes of its pods. */
export function workflowRun(
  plan: PlanCronJob,
  name: string,
  inputs: JsonObject,
  { override, priority, policy = {}, parallelism, cache }: WorkflowRunOptions = {},
): LaunchedJob {
  const { spec } = plan.spec.jobTemplate;
  // That of a driver's Job says how many drivers run.
  const driven = spec.managedBy === undefined;
  const ownSpec = parallelism === undefined || driven ? spec : { ...spec, parallelism };
  return runOf(plan, name, ownSpec, {
    [annotations.inputs]: canonicalJson(inputs),
    ...overrideNote(override),
    ...(priority !== undefined && { [annotations.priority]: String(priority) }),
    ...runPolicyNotes(policy),
    ...(parallelism !== undefined && driven && { [annotations.parallelism]: String(parallelism) }),
    ...(cache && { [annotations.cache]: cache }),
  });
}

/**
 * A run of a single task, which is a plain Job: changed inputs are values of its `INPUT_` variables, and its pod is merged here,
 * for nobody does it later.
 */
export function taskRun(
  plan: PlanCronJob,
  name: string,
  changes: Readonly<Record<string, Json>>,
  override?: RunOverride,
): LaunchedJob {
  const spec = withInputs(plan, changes);
  if (override === undefined) return runOf(plan, name, spec);
  const layers = { run: name, runOverride: override };
  const template = taskPod({ ...plan.spec.jobTemplate, spec }, layers);
  const changed = withTaskJob(plan, layers);
  const fields = { ...changed.spec.jobTemplate.spec, template: template as PodTemplateObject };
  return runOf(changed, name, fields, overrideNote(override));
}

// Where nothing reads it, it tells people what was changed.
function overrideNote(override: RunOverride | undefined): Record<string, string> {
  return override === undefined ? {} : { [annotations.runOverride]: canonicalJson(override) };
}

function withInputs(plan: PlanCronJob, changes: Readonly<Record<string, Json>>): JobSpec {
  const { spec } = plan.spec.jobTemplate;
  const values = new Map(Object.entries(changes).map(([input, value]) => [inputVariable(input), encodeValue(value)]));
  const change = (container: Container): Container => ({
    ...container,
    env: container.env?.map((variable) => {
      const value = values.get(variable.name);
      return value === undefined || variable.valueFrom !== undefined
        ? variable
        : { name: variable.name, value: escapeExpansion(value) };
    }),
  });
  if (values.size === 0 || spec.template === undefined) return spec;
  const pod = spec.template.spec;
  const template = { ...spec.template, spec: { ...pod, containers: pod?.containers?.map(change) } };
  return { ...spec, template };
}

/** The variables of a single task that are inputs: literal values, whose names begin with `INPUT_`. */
export function taskInputVariables(plan: PlanCronJob): string[] {
  const containers = plan.spec.jobTemplate.spec.template?.spec?.containers ?? [];
  const variables = containers.flatMap(({ env = [] }) => env);
  const literal = variables.filter(({ name, valueFrom }) => name.startsWith('INPUT_') && valueFrom === undefined);
  return [...new Set(literal.map(({ name }) => name))];
}

function runOf(plan: PlanCronJob, name: string, spec: JobSpec, extra: Record<string, string> = {}): LaunchedJob {
  const { metadata = {} } = plan.spec.jobTemplate;
  const { uid } = plan.metadata;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: plan.metadata.namespace,
      labels: { [labels.plan]: plan.metadata.name, ...metadata.labels, [labels.managedBy]: MANAGED_BY },
      annotations: { ...metadata.annotations, 'cronjob.kubernetes.io/instantiate': 'manual', ...extra },
      // As kubectl does it: history limits count the run, and it goes with its plan. (kubectl/pkg/cmd/create/create_job.go)
      ...(uid !== undefined && {
        ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: plan.metadata.name, uid, controller: true }],
      }),
    },
    spec,
  };
}
