import type { CacheMode } from '../graph/labels.ts';
import type { KubeClient } from '../kube/client.ts';
import { fullHash } from '../values/hash.ts';
import type { JsonObject } from '../values/json.ts';
import { dnsLabelProblem, MAX_RUN_NAME } from '../values/names.ts';
import { InvalidError, show, type Problem } from '../values/problems.ts';
import { findPlan, type FindOptions } from './find.ts';
import { runMaker } from './prepare-run.ts';
import { runOfKey, startRun, type KeyedLaunch, type Started } from './start-run.ts';

/** The longest idempotency key, in characters. */
export const MAX_KEY = 256;

/** What a program asks of a launch. */
export interface LaunchRequest extends FindOptions {
  readonly plan: string;
  readonly inputs: JsonObject;
  /** How a message names the place of an input. */
  readonly at: (input: string) => string;
  /** Launches with the same key come to one run. @default each is a run of its own */
  readonly idempotencyKey?: string;
  /** @default one of the key, else `<plan>-<5 random>` */
  readonly name?: string;
  /** @default the plan's */
  readonly priority?: number;
  /** @default the plan's */
  readonly cache?: CacheMode;
  /** Who asked for it, where that is not who creates the Job. @default nobody is noted */
  readonly by?: string;
}

/**
 * Starts a run of a plan with these inputs over those of the plan, all of them checked before. A key finds the run that was started with
 * it for as long as that is there, whatever became of the plan.
 *
 * @throws InvalidError with everything that is wrong with the inputs
 * @throws WorkflowsError when there is no such plan, or its name or key was used for something else
 */
export async function launchRun(client: KubeClient, request: LaunchRequest): Promise<Started> {
  const { plan: planName, inputs, at, idempotencyKey, name, priority, cache, by, ...options } = request;
  const wrong = [...requestProblems(request)];
  if (wrong.length > 0) throw new InvalidError(`Cannot launch ${planName}`, wrong);
  const keyed: KeyedLaunch | undefined =
    idempotencyKey === undefined
      ? undefined
      : { key: idempotencyKey, request: fullHash([planName, inputs, priority ?? null, cache ?? null]) };
  const [before, plan] = await Promise.allSettled([
    keyed && runOfKey(client, planName, keyed, options),
    findPlan(client, planName, options),
  ]);
  if (before.status === 'rejected') throw before.reason;
  if (before.value !== undefined) return { job: before.value, created: false };
  if (plan.status === 'rejected') throw plan.reason;
  const make = await runMaker(client, plan.value, { inputs: { values: inputs, at }, priority });
  return startRun(client, plan.value, make, { name, keyed, cache, by, signal: options.signal });
}

function* requestProblems({ name, idempotencyKey: key, priority }: LaunchRequest): Generator<Problem> {
  const wrongName = name === undefined ? undefined : dnsLabelProblem(name, MAX_RUN_NAME);
  if (wrongName !== undefined) yield { path: 'name', message: `${show(name)} ${wrongName}` };
  if (name !== undefined && key !== undefined)
    yield { path: 'idempotencyKey', message: 'names the run, and so does name', fix: 'give one of them' };
  if (key !== undefined && (key.length === 0 || key.length > MAX_KEY))
    yield { path: 'idempotencyKey', message: `must have 1 to ${MAX_KEY} characters, not ${key.length}` };
  if (priority !== undefined && !Number.isSafeInteger(priority))
    yield { path: 'priority', message: `must be a whole number, not ${show(priority)}` };
}
