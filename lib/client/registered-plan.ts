import type { Graph } from '../graph/graph.ts';
import { labels } from '../graph/labels.ts';
import { runPolicyProblems, type RunPolicy } from '../graph/run-policy.ts';
import { validateManifest, validatePartialJob, validatePartialTemplate } from '../manifests/validate.ts';
import { LaunchPlanInputs } from '../plans/launch-plan-inputs.ts';
import { LaunchPlanTiming } from '../plans/launch-plan-timing.ts';
import { planCronJob } from '../plans/plan-cron-job.ts';
import {
  driverProblems,
  overrideProblems,
  priorityProblems,
  runJob,
  runLabels,
  type RunJobSettings,
  type RunTarget,
} from '../plans/run-job.ts';
import { Schedule } from '../plans/schedule.ts';
import { goDurationSeconds } from '../values/go-duration.ts';
import type { JsonObject } from '../values/json.ts';
import { MAX_PLAN_NAME } from '../values/key-names.ts';
import { labelProblems } from '../values/label-problems.ts';
import { dnsLabelProblem, labelValueProblem } from '../values/names.ts';
import { show, type Problem } from '../values/problems.ts';
import type { PlanRegistration } from './plan-registration.ts';
import type { WorkflowType } from './types.ts';

/** The version of a workflow that a plan is of, with its graph. */
export interface GraphTarget extends RunTarget {
  readonly graph: Graph;
}

/** A registration, checked as synth checks a plan, and as the CronJob that synth would have made. Pure. */
export class RegisteredPlan {
  readonly #given: PlanRegistration<WorkflowType>;
  readonly #by: string;
  readonly #timing: LaunchPlanTiming;
  readonly #inputs: LaunchPlanInputs;

  /** @param by the name of the program */
  constructor(given: PlanRegistration<WorkflowType>, by: string) {
    this.#given = given;
    this.#by = by;
    this.#inputs = new LaunchPlanInputs(withoutUndefined(given.inputs), withoutUndefined(given.fixedInputs));
    this.#timing = new LaunchPlanTiming({ ...given, schedule: schedulesOf(given.schedule) }, !given.driver);
  }

  /** Everything that is wrong with it, but for what only the workflow tells. */
  *problems(): Generator<Problem> {
    const { name, workflow, group, driver, priority } = this.#given;
    const wrongName = dnsLabelProblem(name, MAX_PLAN_NAME);
    if (wrongName !== undefined) yield { path: 'name', message: `${show(name)} ${wrongName}` };
    for (const [path, value] of Object.entries({ workflow, group })) {
      const wrong = value === undefined ? undefined : labelValueProblem(value);
      if (wrong !== undefined) yield { path, message: `${show(value)} ${wrong}` };
    }
    yield* this.#timing.problems();
    yield* labelProblems(this.#given.labels, this.#given.annotations);
    yield* overrideProblems(this.#given);
    yield* misfits('podTemplate', validatePartialTemplate(this.#given.podTemplate ?? {}));
    yield* misfits('job', validatePartialJob(this.#given.job ?? {}));
    yield* priorityProblems(priority, Boolean(driver));
    yield* runPolicyProblems(this.#policy);
  }

  /** What is wrong with it as a plan of this version of the workflow. */
  *problemsWith(target: GraphTarget): Generator<Problem> {
    const { graph } = target;
    yield* this.#inputs.problems({ name: graph.workflow, inputSchema: graph.inputs }, this.#timing.scheduled);
    if (this.#given.driver) yield* driverProblems(graph);
  }

  /** What is wrong with the CronJob, when nothing else is. */
  manifestProblems(target: RunTarget): readonly Problem[] {
    return misfits('CronJob', validateManifest(this.manifest(target) as unknown as JsonObject));
  }

  /** The CronJob. */
  manifest(target: RunTarget) {
    const { name, group } = this.#given;
    const whose = { plan: name, ...(group !== undefined && { group }) };
    const { metadata, spec } = runJob(target, this.#inputs.values, this.#settings, whose);
    const notes = { ...this.#timing.notes, ...this.#inputs.notes };
    return planCronJob({
      name,
      labels: { ...this.#given.labels, ...runLabels(target, whose), [labels.registeredBy]: this.#by },
      annotations: { ...this.#given.annotations },
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

/** `undefined` is how JavaScript says that an input is not given. */
function withoutUndefined(values: object = {}): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
