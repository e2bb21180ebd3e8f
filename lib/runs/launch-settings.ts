import { cacheModes, type CacheMode } from '../graph/labels.ts';
import type { RetryPolicy } from '../graph/retries.ts';
import { runPolicyProblems, type RunPolicy } from '../graph/run-policy.ts';
import { amountProblems, podSettingProblems, priorityProblems, runPodOverride } from '../plans/run-job.ts';
import { composeOverrides } from '../pods/compose.ts';
import { EVERY_STEP, type RunOverride } from '../pods/run-override.ts';
import type { EnvironmentValue } from '../pods/settings/environment.ts';
import { fullHash } from '../values/hash.ts';
import type { JsonObject } from '../values/json.ts';
import { labelProblems } from '../values/label-problems.ts';
import { dnsLabelProblem, MAX_RUN_NAME } from '../values/names.ts';
import { show, suggest, type Problem } from '../values/problems.ts';

/**
 * What a launch says of its run beside the inputs, whoever launches it: a program, or somebody at a terminal. What it leaves out is as the
 * plan says; maps are merged with the plan's.
 */
export interface LaunchSettings extends Omit<RunPolicy, 'retries'> {
  /** How many steps may run at once; a whole number from 1. @default the plan's */
  readonly parallelism?: number;
  /** A whole number: where runs wait for the same lock or limit, those with a higher one come first. @default the plan's */
  readonly priority?: number;
  /** `Off` takes no kept results and keeps none, `Overwrite` takes none and keeps its own. @default the plan's */
  readonly cache?: CacheMode;
  /** For the whole run; then what still runs is stopped and the run fails. @default the plan's */
  readonly timeoutSeconds?: number;
  /** How long the finished run and its record stay. @default the plan's */
  readonly ttlSecondsAfterFinished?: number;
  /** Retries of steps that say nothing of them: how many, or as graphs have them. @default the plan's */
  readonly retries?: number | RetryPolicy;
  /** The service account of the steps' pods, by name. @default the plan's, else the tasks' own */
  readonly serviceAccount?: string;
  /** Variables of every step's main container, merged over its own; `null` removes one. @default the plan's */
  readonly env?: Readonly<Record<string, EnvironmentValue | null>>;
  /** Labels of the run's Job and of its pods. @default the plan's */
  readonly labels?: Readonly<Record<string, string>>;
  /** Annotations of the run's Job and of its pods. @default the plan's */
  readonly annotations?: Readonly<Record<string, string>>;
}

const ALL: Readonly<Record<keyof LaunchSettings, true>> = {
  annotations: true,
  artifactRoot: true,
  cache: true,
  env: true,
  failurePolicy: true,
  labels: true,
  parallelism: true,
  priority: true,
  retries: true,
  serviceAccount: true,
  spot: true,
  timeoutSeconds: true,
  ttlSecondsAfterFinished: true,
};

/** Those that there are: a program in JavaScript has no compiler that tells of others. */
const SETTINGS: ReadonlySet<string> = new Set(Object.keys(ALL));

/** What of the settings has a meaning only where there are steps. */
export const settingsOfSteps = [
  'parallelism',
  'cache',
  'failurePolicy',
  'retries',
  'spot',
  'artifactRoot',
] as const satisfies readonly (keyof LaunchSettings)[];

/** How the run goes, as far as the settings say so. */
export function policyOf({ failurePolicy, retries, spot, artifactRoot }: LaunchSettings): RunPolicy {
  return {
    ...(failurePolicy !== undefined && { failurePolicy }),
    ...(retries !== undefined && { retries: typeof retries === 'number' ? { limit: retries } : retries }),
    ...(spot !== undefined && { spot }),
    ...(artifactRoot !== undefined && { artifactRoot }),
  };
}

/** What is changed of pods: what the settings say of all of them, and over it what is said of their templates. */
export function withSettings(override: RunOverride | undefined, settings: LaunchSettings): RunOverride | undefined {
  const ofAll = runPodOverride(settings);
  if (ofAll === undefined) return override;
  const { job, ...template } = override?.[EVERY_STEP] ?? {};
  const every = { ...composeOverrides(ofAll, template), ...(job && { job }) };
  return { ...override, [EVERY_STEP]: every };
}

/** Everything that is wrong with settings, whatever the plan is. */
export function* settingsProblems(settings: LaunchSettings): Generator<Problem> {
  const { cache, priority, env, labels, annotations } = settings;
  for (const path of Object.keys(settings))
    if (!SETTINGS.has(path)) yield { path, message: 'there is no such setting', fix: suggest(path, SETTINGS) };
  yield* amountProblems(settings);
  yield* priorityProblems(priority, false);
  if (cache !== undefined && !cacheModes.includes(cache))
    yield { path: 'cache', message: `is ${show(cache)}`, fix: suggest(cache, cacheModes) };
  yield* runPolicyProblems(policyOf(settings));
  yield* podSettingProblems({ env });
  yield* labelProblems(labels, annotations);
}

/** The longest idempotency key, in characters. */
export const MAX_KEY = 256;

/** How a run is to be known. */
export interface LaunchName {
  /** Name of the run, a DNS label; a `Conflict` when it is taken. @default `<plan>-` and ten characters of the key, or five random ones */
  readonly name?: string;
  /**
   * What tells a repetition from another launch, of 1 to 256 characters: all launches of a plan with one key give the same run, for as
   * long as that is on the cluster. Another launch with the key is an error when it gives other inputs or settings.
   * @default each launch is a run of its own
   */
  readonly idempotencyKey?: string;
}

/** What is wrong with it. */
export function* nameProblems({ name, idempotencyKey: key }: LaunchName): Generator<Problem> {
  const wrongName = name === undefined ? undefined : dnsLabelProblem(name, MAX_RUN_NAME);
  if (wrongName !== undefined) yield { path: 'name', message: `${show(name)} ${wrongName}` };
  if (name !== undefined && key !== undefined)
    yield { path: 'idempotencyKey', message: 'names the run, and so does name', fix: 'give one of them' };
  if (key !== undefined && (key.length === 0 || key.length > MAX_KEY))
    yield { path: 'idempotencyKey', message: `must have 1 to ${MAX_KEY} characters, not ${key.length}` };
}

/** Stands for all that a launch asks for: the inputs as they were given, for those of the plan may have changed when it is repeated. */
export function requestOf(plan: string, inputs: JsonObject, settings: LaunchSettings, override?: RunOverride): string {
  return fullHash([plan, inputs, JSON.parse(JSON.stringify({ ...settings, override })) as JsonObject]);
}
