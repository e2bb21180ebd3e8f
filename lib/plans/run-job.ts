import { sharedLocks } from '../graph/locks.ts';
import type { Graph } from '../graph/graph.ts';
import {
  annotations,
  CONTROLLER_NAME,
  DEFAULT_PARALLELISM,
  labels,
  MANAGED_BY,
  type CacheMode,
} from '../graph/labels.ts';
import { runPolicyNotes, type RunPolicy } from '../graph/run-policy.ts';
import { composeOverrides } from '../pods/compose.ts';
import type { JobOverride } from '../pods/job-template.ts';
import { functionFields } from '../pods/serializable.ts';
import type { EnvironmentValue } from '../pods/settings/environment.ts';
import { settingsLayers, type PodSettings } from '../pods/settings/pod-settings.ts';
import type { PodTemplateOverride } from '../pods/template.ts';
import { canonicalJson, type JsonObject } from '../values/json.ts';
import { labelProblems } from '../values/label-problems.ts';
import { dnsLabelProblem } from '../values/names.ts';
import { show, type Problem } from '../values/problems.ts';
import { DRIVER_FAILURES, driverTemplate, type Driver } from './driver.ts';

/** What a run does to the pods of its steps. */
export interface RunPodSettings extends Pick<PodSettings, 'serviceAccount'> {
  readonly env?: Readonly<Record<string, EnvironmentValue | null>>;
  readonly podTemplate?: PodTemplateOverride;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What is said of a run, in the terms of its Job. */
export interface RunJobSettings extends RunPodSettings {
  readonly parallelism?: number;
  readonly priority?: number;
  readonly timeoutSeconds?: number;
  readonly ttlSecondsAfterFinished?: number;
  readonly job?: JobOverride;
  readonly cache?: CacheMode;
  /** How it goes, where that is not as the workflow says. */
  readonly policy?: RunPolicy;
  /** The driver that sequences it. @default the controller does */
  readonly driver?: Driver;
}

/** The plan of a run, and the group of that. */
export interface Whose {
  readonly plan?: string;
  readonly group?: string;
}

/** The version of a workflow that a run is of. */
export interface RunTarget {
  readonly workflow: string;
  readonly version: string;
  /** The name of the graph's ConfigMap. */
  readonly graphName: string;
  /** How many steps the graph has. */
  readonly steps: number;
}

/** Labels that tell the plan and the group. */
export function planLabels({ plan, group }: Whose): Record<string, string> {
  return {
    ...(plan !== undefined && { [labels.plan]: plan }),
    ...(group !== undefined && { [labels.group]: group }),
  };
}

/** Labels that tell which workflow, version and plan an object belongs to. */
export function runLabels({ workflow, version }: RunTarget, whose: Whose = {}): Record<string, string> {
  return {
    [labels.managedBy]: MANAGED_BY,
    [labels.workflow]: workflow,
    [labels.version]: version,
    ...planLabels(whose),
  };
}

/** What the settings change of every step's pod, low to high. */
export function runPodSettings(settings: RunPodSettings): PodSettings[] {
  const { labels, annotations, serviceAccount, env, podTemplate } = settings;
  const metadata = { ...(labels && { labels }), ...(annotations && { annotations }) };
  // What is wrong with them is told of the run, and not of each of its pods once more.
  const areRight = [...labelProblems(labels, annotations)].length === 0;
  return [
    ...(Object.keys(metadata).length > 0 && areRight ? [{ podTemplate: { metadata } }] : []),
    { serviceAccount, env, podTemplate },
  ];
}

/** The same as it travels with the run: with `null` where a field is to be removed. */
export function runPodOverride(settings: RunPodSettings): PodTemplateOverride | undefined {
  const parts = runPodSettings(settings).flatMap((part) => settingsLayers(part));
  return parts.length === 0 ? undefined : parts.reduce(composeOverrides);
}

/** What of the overrides cannot travel with the run. */
export function* overrideProblems({
  podTemplate = {},
  job = {},
}: Pick<RunJobSettings, 'podTemplate' | 'job'>): Generator<Problem> {
  for (const [setting, override] of Object.entries({ podTemplate, job }))
    for (const path of functionFields(override))
      yield {
        path: `${setting}.${path}`,
        message: 'is a function, which no manifest can carry to where the run is merged',
        fix: 'give the value, or use a function in the override of a step',
      };
}

/** What annotations of an object may take together, in bytes. (apimachinery/pkg/api/validation: TotalAnnotationSizeLimitB) */
const ANNOTATION_BYTES = 256 * 1024;

/** That a run would have more annotations than an object may: its inputs are one of them. */
export function* annotationSizeProblems(notes: Readonly<Record<string, string>>): Generator<Problem> {
  const size = Object.entries(notes).reduce((sum, [key, value]) => sum + key.length + Buffer.byteLength(value), 0);
  if (size > ANNOTATION_BYTES)
    yield {
      path: 'inputs',
      message: `and settings take ${Math.ceil(size / 1024)} KiB; a run holds ${ANNOTATION_BYTES / 1024} KiB of them`,
      fix: 'store what is large elsewhere and give its URI',
    };
}

/** What is wrong with what a run does to the pods of its steps, as far as no pod is needed to tell. */
export function* podSettingProblems({ env = {}, serviceAccount }: RunPodSettings): Generator<Problem> {
  for (const [name, value] of Object.entries(env)) {
    if (name === '' || name.includes('=')) yield { path: `env.${name}`, message: 'is no name of a variable' };
    if (typeof value !== 'string' && typeof value !== 'object')
      yield { path: `env.${name}`, message: `must be text, or where it is from, not ${show(value)}` };
  }
  if (typeof serviceAccount !== 'string') return;
  for (const part of serviceAccount.split('.')) {
    const wrong = dnsLabelProblem(part, 253);
    if (wrong !== undefined) return yield { path: 'serviceAccount', message: `${show(serviceAccount)} ${wrong}` };
  }
}

/** What is wrong with the numbers of a run that Kubernetes counts. */
export function* amountProblems(
  settings: Pick<RunJobSettings, 'parallelism' | 'timeoutSeconds' | 'ttlSecondsAfterFinished'>,
): Generator<Problem> {
  for (const [field, min] of [
    ['parallelism', 1],
    ['timeoutSeconds', 1],
    ['ttlSecondsAfterFinished', 0],
  ] as const) {
    const value = settings[field];
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= min))
      yield { path: field, message: `must be a whole number of at least ${min}, not ${show(value)}` };
  }
}

/** What is wrong with the priority of a run. */
export function* priorityProblems(priority: number | undefined, driven: boolean): Generator<Problem> {
  if (priority === undefined) return;
  if (!Number.isSafeInteger(priority))
    yield { path: 'priority', message: `must be a whole number, not ${show(priority)}` };
  if (driven)
    yield { path: 'priority', message: 'says nothing to a driver, which knows of no other run', fix: 'leave it out' };
}

/** What of a graph no driver can do. */
export function* driverProblems(graph: Pick<Graph, 'steps'>): Generator<Problem> {
  for (const step of sharedLocks(graph))
    yield {
      path: 'driver',
      message: `cannot keep the locks of step ${show(step)}: it knows of no other run`,
      fix: "give them scope: 'run', or let a controller sequence the run",
    };
}

/** Metadata and spec of the Job that is a run of the workflow. The mapping of its fields is in docs/concepts.md. */
export function runJob(target: RunTarget, inputs: JsonObject, settings: RunJobSettings, whose?: Whose) {
  const { driver, timeoutSeconds, ttlSecondsAfterFinished, parallelism = DEFAULT_PARALLELISM } = settings;
  const podOverride = runPodOverride(settings);
  return {
    metadata: {
      labels: { ...settings.labels, ...runLabels(target, whose) },
      annotations: {
        ...settings.annotations,
        [annotations.graph]: target.graphName,
        [annotations.inputs]: canonicalJson(inputs),
        ...(podOverride && { [annotations.podOverride]: canonicalJson(podOverride) }),
        ...(settings.job && { [annotations.jobOverride]: canonicalJson(settings.job) }),
        ...(settings.cache && { [annotations.cache]: settings.cache }),
        ...runPolicyNotes(settings.policy ?? {}),
        ...(driver && { [annotations.parallelism]: String(parallelism) }),
        ...(settings.priority !== undefined && { [annotations.priority]: String(settings.priority) }),
      },
    },
    spec: {
      // A driver's Job counts its one pod; a run that the controller manages counts steps.
      ...(driver
        ? { completions: 1, parallelism: 1, backoffLimit: 3, podFailurePolicy: DRIVER_FAILURES }
        : { managedBy: CONTROLLER_NAME, completions: target.steps, parallelism, backoffLimit: 0 }),
      ...(timeoutSeconds !== undefined && { activeDeadlineSeconds: timeoutSeconds }),
      ...(ttlSecondsAfterFinished !== undefined && { ttlSecondsAfterFinished }),
      template: driverTemplate(driver ?? {}),
    },
  };
}
