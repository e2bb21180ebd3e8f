import type { Graph } from '../graph/graph.ts';
import { labels } from '../graph/labels.ts';
import { runPolicyProblems, type RunPolicy } from '../graph/run-policy.ts';
import { validateManifest, validatePartialJob, validatePartialTemplate } from '../manifests/validate.ts';
import { LaunchPlanInputs } from '../plans/launch-plan-inputs.ts';
import { LaunchPlanTiming } from '../plans/launch-plan-timing.ts';
import { planCronJob } from '../plans/plan-cron-job.ts';
import type { LaunchedPlan } from '../plans/notification-receivers.ts';
import type { PlanDefaults } from '../plans/plan-defaults.ts';
import {
  amountProblems,
  annotationSizeProblems,
  driverProblems,
  overrideProblems,
  planLabels,
  podSettingProblems,
  priorityProblems,
  runJob,
  runLabels,
  type RunJobSettings,
  type RunTarget,
} from '../plans/run-job.ts';
import { Schedule } from '../plans/schedule.ts';
import { mergeLevels, originNote, type Effective, type Level } from '../plans/setting-levels.ts';
import { goDurationSeconds } from '../values/go-duration.ts';
import type { JsonObject } from '../values/json.ts';
import { MAX_PLAN_NAME } from '../values/key-names.ts';
import { labelProblems } from '../values/label-problems.ts';
import { dnsLabelProblem, labelValueProblem } from '../values/names.ts';
import { show, type Problem } from '../values/problems.ts';
import type { PlanRegistration } from './plan-registration.ts';
import { rightRegistration } from './registration-kinds.ts';
import { RegisteredNotifications } from './registered-notifications.ts';
import type { WorkflowType } from './types.ts';

/** The version of a workflow that a plan is of, with its graph and what is said of its plans. */
export interface GraphTarget extends RunTarget {
  readonly graph: Graph;
  readonly defaults: PlanDefaults;
}

/** What keeps anybody from asking the cluster about a registration. */
export function* referenceProblems({ name, workflow }: PlanRegistration<WorkflowType>): Generator<Problem> {
  // What is no text is told as that.
  const wrongName = typeof name === 'string' ? dnsLabelProblem(name, MAX_PLAN_NAME) : undefined;
  if (wrongName !== undefined) yield { path: 'name', message: `${show(name)} ${wrongName}` };
  const wrongWorkflow = typeof workflow === 'string' ? labelValueProblem(workflow) : undefined;
  if (wrongWorkflow !== undefined) yield { path: 'workflow', message: `${show(workflow)} ${wrongWorkflow}` };
}

/** A registration, checked as synth checks a plan, and as the CronJob that synth would have made. Pure. */
export class RegisteredPlan {
  readonly #given: PlanRegistration<WorkflowType>;
  readonly #wrong: readonly Problem[];
  readonly #merged: Effective<PlanRegistration<WorkflowType>>;
  readonly #by: string;
  readonly #timing: LaunchPlanTiming;
  readonly #inputs: LaunchPlanInputs;
  readonly #notified: RegisteredNotifications;

  /**
   * @param by the name of the program
   * @param defaults what the fleet and the workflow say of plans, where that is known
   */
  constructor(given: PlanRegistration<WorkflowType>, by: string, defaults: PlanDefaults = { levels: [] }) {
    const { settings, problems } = rightRegistration(given);
    this.#wrong = problems;
    const levels = [...defaults.levels, { name: 'plan', settings }] as Level<PlanRegistration<WorkflowType>>[];
    this.#merged = mergeLevels(levels);
    this.#given = this.#merged.settings;
    this.#by = by;
    const { inputs, fixedInputs, schedule, driver, group, name, workflow } = this.#given;
    this.#inputs = new LaunchPlanInputs(inputs, fixedInputs);
    this.#timing = new LaunchPlanTiming({ ...this.#given, schedule: schedulesOf(schedule) }, !driver);
    this.#notified = new RegisteredNotifications(this.#given, defaults.cluster, {
      plan: name,
      labels: { ...this.#given.labels, ...planLabels({ plan: name, group }), [labels.workflow]: workflow },
    });
  }

  /** The plans that notifications launch. */
  get launches(): readonly string[] {
    return this.#notified.launches;
  }

  /** Everything that is wrong with it, but for what only the cluster tells. */
  *problems(): Generator<Problem> {
    const { group, driver, priority } = this.#given;
    yield* this.#wrong;
    yield* referenceProblems(this.#given);
    const wrongGroup = group === undefined ? undefined : labelValueProblem(group);
    if (wrongGroup !== undefined) yield { path: 'group', message: `${show(group)} ${wrongGroup}` };
    yield* this.#merged.problems;
    yield* this.#timing.problems();
    yield* this.#notified.problems();
    yield* amountProblems(this.#given);
    yield* podSettingProblems(this.#given);
    yield* labelProblems(this.#given.labels, this.#given.annotations);
    yield* overrideProblems(this.#given);
    yield* misfits('podTemplate', validatePartialTemplate(this.#given.podTemplate ?? {}));
    yield* misfits('job', validatePartialJob(this.#given.job ?? {}));
    yield* priorityProblems(priority, Boolean(driver));
    yield* runPolicyProblems(this.#policy);
  }

  /** What is wrong with it as a plan of this version of the workflow. */
  *problemsWith({ graph }: GraphTarget, launched: ReadonlyMap<string, LaunchedPlan | undefined>): Generator<Problem> {
    yield* this.#inputs.problems({ name: graph.workflow, inputSchema: graph.inputs }, this.#timing.scheduled);
    if (this.#given.driver) yield* driverProblems(graph);
    yield* this.#notified.launchProblems(launched);
  }

  /** What is wrong with the CronJob, when nothing else is. */
  manifestProblems(target: RunTarget): readonly Problem[] {
    const manifest = this.manifest(target);
    const { annotations } = manifest.spec.jobTemplate.metadata;
    return [
      ...annotationSizeProblems(annotations),
      ...misfits('CronJob', validateManifest(manifest as unknown as JsonObject)),
    ];
  }

  /** The CronJob. */
  manifest(target: RunTarget) {
    const { name, group } = this.#given;
    const whose = { plan: name, ...(group !== undefined && { group }) };
    const { metadata, spec } = runJob(target, this.#inputs.values, this.#settings, whose);
    const notes = { ...this.#timing.notes, ...this.#inputs.notes, ...this.#notified.notes };
    return planCronJob({
      name,
      labels: { ...this.#given.labels, ...runLabels(target, whose), [labels.registeredBy]: this.#by },
      annotations: { ...this.#given.annotations, ...this.#origins },
      fixedInputs: this.#inputs.fixed,
      timing: this.#timing,
      suspend: !this.#timing.fires,
      successfulRunsHistoryLimit: this.#given.successfulRunsHistoryLimit,
      failedRunsHistoryLimit: this.#given.failedRunsHistoryLimit,
      jobTemplate: { metadata: { ...metadata, annotations: { ...metadata.annotations, ...notes } }, spec },
    });
  }

  get #settings(): RunJobSettings {
    const { driver, ...settings } = this.#given;
    return { ...settings, policy: this.#policy, driver: driver === true ? {} : driver || undefined };
  }

  get #policy(): RunPolicy {
    const { retries, ...policy } = this.#given;
    return { ...policy, retries: typeof retries === 'number' ? { limit: retries } : retries };
  }

  /** Whose defaults hold, as `describe plan` names settings. */
  get #origins(): Readonly<Record<string, string>> {
    return originNote(new Map([...this.#merged.origins].map(([path, by]) => [CONSTRUCT_NAMES[path] ?? path, by])));
  }
}

function schedulesOf(schedule: string | readonly string[] = []): readonly Schedule[] {
  return [schedule].flat().map((text) => {
    const seconds = text.startsWith('@every ') ? goDurationSeconds(text.slice('@every '.length)) : undefined;
    return seconds === undefined ? Schedule.cron(text) : Schedule.every({ toMilliseconds: () => seconds * 1000 });
  });
}

function misfits(at: string, found: readonly Problem[]): readonly Problem[] {
  return found.map(({ path, message, fix }) => ({ path: `${at}.${path}`, message, ...(fix !== undefined && { fix }) }));
}

/** What constructs call settings that have another name here. */
const CONSTRUCT_NAMES: Readonly<Record<string, string>> = {
  timeoutSeconds: 'timeout',
  startingDeadlineSeconds: 'startingDeadline',
  ttlSecondsAfterFinished: 'ttlAfterFinished',
};
