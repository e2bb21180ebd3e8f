import type { KubeClient } from '../kube/client.ts';
import { runOverrideFieldProblems } from '../pods/run-override-fields.ts';
import { unknownStepProblems, withoutJobProblems, type RunOverride } from '../pods/run-override.ts';
import type { JsonObject } from '../values/json.ts';
import { InvalidError, type Problem } from '../values/problems.ts';
import { findPlan, type FindOptions } from './find.ts';
import { nameProblems, requestOf, type LaunchName, type LaunchSettings } from './launch-settings.ts';
import { prepareRun, type LaunchedStep } from './prepare-run.ts';
import { runOfKey, startRun, type KeyedLaunch, type Started } from './start-run.ts';

/** What a program asks of a launch. */
export interface LaunchRequest extends FindOptions, LaunchName {
  readonly plan: string;
  readonly inputs: JsonObject;
  /** How a message names the place of an input. */
  readonly at: (input: string) => string;
  readonly settings?: LaunchSettings;
  /** What it changes of the steps' pods, by step and `*` for all of them. @default nothing */
  readonly override?: RunOverride;
  /** Who asked for it, where that is not who creates the Job. @default nobody is noted */
  readonly by?: string;
}

/**
 * Starts a run of a plan with these inputs over those of the plan, all of them checked before. A key finds the run that was started with
 * it for as long as that is there, whatever became of the plan.
 *
 * @throws InvalidError with everything that is wrong with the inputs and settings
 * @throws WorkflowsError when there is no such plan, or its name or key was used for something else
 */
export async function launchRun(client: KubeClient, request: LaunchRequest): Promise<Started> {
  const { plan: planName, inputs, at, settings = {}, override, idempotencyKey, name, by, ...options } = request;
  const wrong = [...nameProblems(request)];
  if (idempotencyKey !== undefined && wrong.length > 0) throw new InvalidError(`Cannot launch ${planName}`, wrong);
  const keyed: KeyedLaunch | undefined =
    idempotencyKey === undefined
      ? undefined
      : { key: idempotencyKey, request: requestOf(planName, inputs, settings, override) };
  const [before, plan] = await Promise.allSettled([
    keyed && runOfKey(client, planName, keyed, options),
    findPlan(client, planName, options),
  ]);
  if (before.status === 'rejected') throw before.reason;
  if (before.value !== undefined) return { job: before.value, created: false };
  if (plan.status === 'rejected') throw plan.reason;
  const { job } = await prepareRun(client, plan.value, {
    inputs: { values: inputs, at },
    settings,
    problems: wrong,
    ...(override && { pods: (steps) => ({ override, problems: overrideProblems(override, steps) }) }),
  });
  return startRun(client, plan.value, job, { name, keyed, by, signal: options.signal });
}

/** What is wrong with what is changed of pods, each with its place in `override`. */
function overrideProblems(override: RunOverride, steps: readonly LaunchedStep[]): readonly Problem[] {
  const names = steps.map(({ name }) => name);
  return [
    ...unknownStepProblems(override, names, 'override'),
    ...runOverrideFieldProblems(override, (step, place) =>
      ['override', step, place].filter((part) => part !== '').join('.'),
    ),
    ...withoutJobProblems(override, steps, (step) => `override.${step}.job`),
  ];
}
