import type { Duration } from 'cdk8s';
import { sharedLocks } from '../lib/graph/locks.ts';
import {
  annotations,
  CONTROLLER_NAME,
  DEFAULT_PARALLELISM,
  labels,
  MANAGED_BY,
  type CacheMode,
} from '../lib/graph/labels.ts';
import type { JobLayer, JobOverride } from '../lib/pods/job-template.ts';
import { composeOverrides } from '../lib/pods/compose.ts';
import type { EnvironmentValue } from '../lib/pods/settings/environment.ts';
import { settingsLayers, type PodSettings } from '../lib/pods/settings/pod-settings.ts';
import { functionFields } from '../lib/pods/serializable.ts';
import type { PodTemplateOverride } from '../lib/pods/template.ts';
import { canonicalJson, type JsonObject } from '../lib/values/json.ts';
import { formatProblem, show, type Problem } from '../lib/values/problems.ts';
import { DRIVER_CONTAINER, driverTemplate, type DriverProps } from './driver.ts';
import { labelProblems } from './label-problems.ts';
import { later } from './later.ts';
import { seconds, type ServiceAccountLike } from './settings.ts';
import type { AnyWorkflow } from './workflow.ts';

/** What may be set for a run, directly or by the plan that launches it. */
export interface RunSettings {
  /** How many steps may run at once. @default 25 */
  readonly parallelism?: number;
  /** A whole number: where runs wait for the same lock or limit, those with a higher one come first. May be edited while it runs. @default 0 */
  readonly priority?: number;
  /** For the whole run; then what still runs is stopped and the run fails. @default none */
  readonly timeout?: Duration;
  /** How long a finished run and its record stay. @default until they are deleted, or the plan's history limit is reached */
  readonly ttlAfterFinished?: Duration;
  /** The service account of the steps' pods. @default the tasks' own */
  readonly serviceAccount?: ServiceAccountLike;
  /** Variables of every step's main container, merged over its own; `null` removes one. @default none */
  readonly env?: Readonly<Record<string, EnvironmentValue | null>>;
  /** Merged over the pod of every step. @default nothing */
  readonly podTemplate?: PodTemplateOverride;
  /** Merged over the Job around the pod, of every step with `runAs: 'Job'` or of the plan's task. @default nothing */
  readonly job?: JobOverride;
  /** How the run uses kept results: `Off` takes none and keeps none, `Overwrite` takes none and keeps its own. @default it takes them, and keeps its own */
  readonly cache?: CacheMode;
  /** Labels of the run's Job and of its steps' pods. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Annotations of the run's Job and of its steps' pods. @default none */
  readonly annotations?: Readonly<Record<string, string>>;
  /**
   * Sequences each run by a pod of its own, for clusters without a controller or before Kubernetes 1.32.
   * @default the cluster's controller sequences all runs
   */
  readonly driver?: DriverProps | boolean;
}

/** A driver that ends with 1 says that its run failed; another would say the same. One that is evicted goes on as another. */
const DRIVER_FAILURES = {
  rules: [
    { action: 'FailJob', onExitCodes: { containerName: DRIVER_CONTAINER, operator: 'In', values: [1] } },
    { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
  ],
} as const;

/** The plan of a run, and the group of that. */
export interface Whose {
  readonly plan?: string;
  readonly group?: string;
}

/** Labels that tell them. */
export function planLabels({ plan, group }: Whose): Record<string, string> {
  return {
    ...(plan !== undefined && { [labels.plan]: plan }),
    ...(group !== undefined && { [labels.group]: group }),
  };
}

/** Labels that tell which workflow, version and plan an object belongs to. */
export function runLabels(workflow: AnyWorkflow, whose: Whose = {}): Record<string, string> {
  return {
    [labels.managedBy]: MANAGED_BY,
    [labels.workflow]: workflow.name,
    [labels.version]: later(() => workflow.version),
    ...planLabels(whose),
  };
}

/** What the settings change of every step's pod, low to high. */
export function runPodSettings({ labels, annotations, serviceAccount, env, podTemplate }: RunSettings): PodSettings[] {
  const metadata = { ...(labels && { labels }), ...(annotations && { annotations }) };
  // What is wrong with them is told of the run, and not of each of its pods once more.
  const areRight = [...labelProblems(labels, annotations)].length === 0;
  return [
    ...(Object.keys(metadata).length > 0 && areRight ? [{ podTemplate: { metadata } }] : []),
    { serviceAccount, env, podTemplate },
  ];
}

/** The same as it travels with the run: with `null` where a field is to be removed. */
function overrideOf(settings: RunSettings): PodTemplateOverride | undefined {
  const parts = runPodSettings(settings).flatMap((part) => settingsLayers(part));
  return parts.length === 0 ? undefined : parts.reduce(composeOverrides);
}

/** What of the overrides cannot travel with the run. */
export function* overrideProblems({ podTemplate = {}, job = {} }: RunSettings): Generator<Problem> {
  for (const [setting, override] of Object.entries({ podTemplate, job }))
    for (const path of functionFields(override))
      yield {
        path: `${setting}.${path}`,
        message: 'is a function, which no manifest can carry to where the run is merged',
        fix: 'give the value, or use a function in the override of a step',
      };
}

/** What is wrong with the Jobs of a workflow's steps once a run has changed them, beyond what the steps tell themselves. */
export function* stepJobOverrideProblems(
  workflow: AnyWorkflow,
  { job }: RunSettings,
  whose: Pick<JobLayer, 'kind' | 'source'>,
): Generator<Problem> {
  if (job === undefined) return;
  const steps = workflow.podSteps.filter(({ step }) => step.runsAsJob);
  if (steps.length === 0)
    yield {
      path: 'job',
      message: `is set, and no step of ${show(workflow.name)} runs as a Job`,
      fix: "set runAs: 'Job' of a task or step, or leave it out",
    };
  for (const { name, step } of steps) {
    const own = new Set(step.jobProblems().map(formatProblem));
    for (const problem of step.jobProblems([{ ...whose, job }]))
      if (!own.has(formatProblem(problem))) yield { ...problem, path: `step ${name}: ${problem.path}` };
  }
}

/** What is wrong with what is said of a run among others. */
export function* sharingProblems(workflow: AnyWorkflow, { driver, priority }: RunSettings): Generator<Problem> {
  if (priority !== undefined && !Number.isSafeInteger(priority))
    yield { path: 'priority', message: `must be a whole number, not ${show(priority)}` };
  if (!driver) return;
  if (priority !== undefined)
    yield { path: 'priority', message: 'says nothing to a driver, which knows of no other run', fix: 'leave it out' };
  if (workflow.steps.some((step) => step.nodeProblems.length > 0)) return;
  for (const step of sharedLocks(workflow.graph))
    yield {
      path: 'driver',
      message: `cannot keep the locks of step ${show(step)}: it knows of no other run`,
      fix: "give them scope: 'run', or let a controller sequence the run",
    };
}

/** Metadata and spec of the Job that is a run of the workflow. The mapping of its fields is in docs/concepts.md. */
export function runJob(workflow: AnyWorkflow, inputs: JsonObject, settings: RunSettings, whose?: Whose) {
  const { timeout, ttlAfterFinished, parallelism = DEFAULT_PARALLELISM } = settings;
  const driver = settings.driver === true ? {} : settings.driver || undefined;
  const podOverride = overrideOf(settings);
  return {
    metadata: {
      labels: { ...settings.labels, ...runLabels(workflow, whose) },
      annotations: {
        ...settings.annotations,
        [annotations.graph]: workflow.graphName,
        [annotations.inputs]: canonicalJson(inputs),
        ...(podOverride && { [annotations.podOverride]: canonicalJson(podOverride) }),
        ...(settings.job && { [annotations.jobOverride]: canonicalJson(settings.job) }),
        ...(settings.cache && { [annotations.cache]: settings.cache }),
        ...(driver && { [annotations.parallelism]: String(parallelism) }),
        ...(settings.priority !== undefined && { [annotations.priority]: String(settings.priority) }),
      },
    },
    spec: {
      // A driver's Job counts its one pod; a run that the controller manages counts steps.
      ...(driver
        ? { completions: 1, parallelism: 1, backoffLimit: 3, podFailurePolicy: DRIVER_FAILURES }
        : {
            managedBy: CONTROLLER_NAME,
            completions: later(() => workflow.graph.steps.length),
            parallelism,
            backoffLimit: 0,
          }),
      ...(timeout && { activeDeadlineSeconds: seconds(timeout) }),
      ...(ttlAfterFinished && { ttlSecondsAfterFinished: seconds(ttlAfterFinished) }),
      template: driverTemplate(driver ?? {}),
    },
  };
}
