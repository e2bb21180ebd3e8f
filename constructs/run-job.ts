import type { Duration } from 'cdk8s';
import type { FailurePolicy } from '../lib/graph/graph.ts';
import type { CacheMode } from '../lib/graph/labels.ts';
import { runPolicyProblems, type RunPolicy } from '../lib/graph/run-policy.ts';
import type { Spot } from '../lib/pods/settings/spot.ts';
import {
  driverProblems,
  priorityProblems,
  runJob,
  type RunJobSettings,
  type RunTarget,
  type Whose,
} from '../lib/plans/run-job.ts';
import type { JobLayer, JobOverride } from '../lib/pods/job-template.ts';
import type { EnvironmentValue } from '../lib/pods/settings/environment.ts';
import type { PodTemplateOverride } from '../lib/pods/template.ts';
import type { JsonObject } from '../lib/values/json.ts';
import { formatProblem, show, type Problem } from '../lib/values/problems.ts';
import { retryPolicy, type RunRetries } from './retries.ts';
import type { DriverProps } from './driver.ts';
import { later } from './later.ts';
import type { Notifications } from './notification.ts';
import { seconds, serviceAccountName, type ServiceAccountLike } from './settings.ts';
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
  /** What happens to the other steps when one has failed. @default that of the workflow */
  readonly failurePolicy?: FailurePolicy;
  /** Retries of steps that say nothing of them; not of steps that are runs. @default none */
  readonly retries?: number | RunRetries;
  /**
   * Sends steps that say nothing of it to nodes that may be taken away, as `spot` of a task does; `false` keeps all steps off them, whatever they say.
   * Maps that are one Indexed Job stay where they are. @default as each step says
   */
  readonly spot?: boolean | Spot;
  /**
   * Where steps store what is too large for outputs: each attempt finds a URI of its own under this one in `WORKFLOW_ARTIFACTS`, as
   * `s3://acme-etl/<namespace>/<run>/<step>/<attempt>`. @default none
   */
  readonly artifactRoot?: string;
  /** Labels of the run's Job and of its steps' pods. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Annotations of the run's Job and of its steps' pods. @default none */
  readonly annotations?: Readonly<Record<string, string>>;
  /**
   * Who is told of the run, by a name of your choice, which levels are merged by. The controller sends it, also of single tasks: without one nobody is told.
   * @default nobody
   */
  readonly notifications?: Notifications;
  /**
   * Where people see a run, which notifications link to: `https://jobs.acme.dev/{namespace}/{run}`, with the same fields as their texts.
   * @default there is no link
   */
  readonly runUrl?: string;
  /**
   * Sequences each run by a pod of its own, for clusters without a controller or before Kubernetes 1.32.
   * @default the cluster's controller sequences all runs
   */
  readonly driver?: DriverProps | boolean;
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
export function* sharingProblems(workflow: AnyWorkflow, settings: RunSettings): Generator<Problem> {
  const { driver, priority } = settings;
  yield* runPolicyProblems(policyOf(settings));
  const driven = Boolean(driver);
  yield* priorityProblems(priority, driven);
  if (!driven || workflow.steps.some((step) => step.nodeProblems.length > 0)) return;
  yield* driverProblems(workflow.graph);
}

/** The version of a workflow that its runs are of; it is known at synth. */
export function targetOf(workflow: AnyWorkflow): RunTarget {
  return {
    workflow: workflow.name,
    version: later(() => workflow.version),
    get graphName() {
      return workflow.graphName;
    },
    steps: later(() => workflow.graph.steps.length),
  };
}

/** How a run goes, where its settings and not its workflow say so. */
export function policyOf({ failurePolicy, retries, spot, artifactRoot }: RunSettings): RunPolicy {
  const asPolicy = retryPolicy(retries);
  return {
    ...(failurePolicy && { failurePolicy }),
    ...(asPolicy && { retries: asPolicy }),
    ...(spot !== undefined && { spot: spot as RunPolicy['spot'] }),
    ...(artifactRoot !== undefined && { artifactRoot }),
  };
}

/** Metadata and spec of the Job that is a run of the workflow. */
export function workflowRunJob(workflow: AnyWorkflow, inputs: JsonObject, settings: RunSettings, whose?: Whose) {
  const { timeout, ttlAfterFinished, driver } = settings;
  const given = driver === true ? {} : driver || undefined;
  const asJob: RunJobSettings = {
    ...settings,
    timeoutSeconds: timeout && seconds(timeout),
    ttlSecondsAfterFinished: ttlAfterFinished && seconds(ttlAfterFinished),
    policy: policyOf(settings),
    driver: given && { image: given.image, serviceAccount: serviceAccountName(given.serviceAccount) },
  };
  return runJob(targetOf(workflow), inputs, asJob, whose);
}
