import { annotations, labels, MANAGED_BY } from '../graph/labels.ts';
import { runPolicyNotes } from '../graph/run-policy.ts';
import type { NewObject } from '../kube/objects.ts';
import { encodeValue, escapeExpansion, inputVariable } from '../values/environment.ts';
import { canonicalJson, type Json, type JsonObject } from '../values/json.ts';
import type { RunOverride } from '../pods/run-override.ts';
import { taskPod } from './launch-pods.ts';
import { policyOf, type LaunchSettings } from './launch-settings.ts';
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
export interface LaunchedAs extends LaunchSettings {
  /** Of its pods: that of the settings is in it, too. @default nothing */
  readonly override?: RunOverride | undefined;
}

/** A run of a workflow, as `kubectl create job --from` would make it, with these inputs and settings. */
export function workflowRun(
  plan: PlanCronJob,
  name: string,
  inputs: JsonObject,
  settings: LaunchedAs = {},
): LaunchedJob {
  const { override, priority, parallelism, cache } = settings;
  const { spec } = plan.spec.jobTemplate;
  // That of a driver's Job says how many drivers run.
  const driven = spec.managedBy === undefined;
  const ownSpec = parallelism === undefined || driven ? spec : { ...spec, parallelism };
  return runOf(plan, name, ownSpec, settings, {
    [annotations.inputs]: canonicalJson(inputs),
    ...overrideNote(override),
    ...(priority !== undefined && { [annotations.priority]: String(priority) }),
    ...runPolicyNotes(policyOf(settings)),
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
  settings: LaunchedAs = {},
): LaunchedJob {
  const { override } = settings;
  const spec = withInputs(plan, changes);
  if (override === undefined) return runOf(plan, name, spec, settings);
  const layers = { run: name, runOverride: override };
  const template = taskPod({ ...plan.spec.jobTemplate, spec }, layers);
  const changed = withTaskJob(plan, layers);
  const fields = { ...changed.spec.jobTemplate.spec, template: template as PodTemplateObject };
  return runOf(changed, name, fields, settings, overrideNote(override));
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

function runOf(
  plan: PlanCronJob,
  name: string,
  spec: JobSpec,
  settings: LaunchSettings,
  extra: Record<string, string> = {},
): LaunchedJob {
  const { timeoutSeconds, ttlSecondsAfterFinished } = settings;
  const { metadata = {} } = plan.spec.jobTemplate;
  const { uid } = plan.metadata;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: plan.metadata.namespace,
      labels: {
        [labels.plan]: plan.metadata.name,
        ...metadata.labels,
        ...settings.labels,
        [labels.managedBy]: MANAGED_BY,
      },
      annotations: {
        ...metadata.annotations,
        ...settings.annotations,
        'cronjob.kubernetes.io/instantiate': 'manual',
        ...extra,
      },
      // As kubectl does it: history limits count the run, and it goes with its plan. (kubectl/pkg/cmd/create/create_job.go)
      ...(uid !== undefined && {
        ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: plan.metadata.name, uid, controller: true }],
      }),
    },
    spec: {
      ...spec,
      ...(timeoutSeconds !== undefined && { activeDeadlineSeconds: timeoutSeconds }),
      ...(ttlSecondsAfterFinished !== undefined && { ttlSecondsAfterFinished }),
    },
  };
}
