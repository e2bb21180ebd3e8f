import { isJsonObject, type JsonObject } from '../values/json.ts';
import { show, suggest, type Problem } from '../values/problems.ts';
import type { ContainerStep, RunStep } from './graph.ts';

/** Why an attempt can fail by its task's own doing: the failures that `retries` are for. */
export const taskFailureReasons = [
  'ExitCode',
  'OOMKilled',
  'AttemptTimeout',
  'OutputsMissing',
  'OutputsTooLarge',
  'OutputsNotJson',
  'OutputsInvalid',
  'StartError',
  'RunFailed',
  'ServiceEnded',
  'StartupTimeout',
] as const;
export type TaskFailureReason = (typeof taskFailureReasons)[number];

/** When an attempt that failed by its task's own doing is followed by another. Failures of the platform have a budget of their own. */
export interface RetryPolicy {
  /** Attempts after the first. */
  readonly limit: number;
  /** The n-th wait is `delaySeconds * factor^(n-1)`, at most `maxDelaySeconds`, less up to `jitter` of itself. @default 0 */
  readonly delaySeconds?: number;
  /** In place of the growing wait: the waits one by one, of which the last repeats; less up to `jitter` too. */
  readonly delaysSeconds?: readonly number[];
  /** @default 2 */
  readonly factor?: number;
  /** @default 3600 */
  readonly maxDelaySeconds?: number;
  /** Share of the wait that may be taken off, 0 to 1. @default 0.1 */
  readonly jitter?: number;
  /** No retry begins when the first attempt was asked for so long ago. @default no limit */
  readonly maxElapsedSeconds?: number;
  /** Only failures that one of these fits are followed by another attempt. @default all */
  readonly when?: readonly FailureRule[];
  /** Failures that one of these fits are the last. @default none */
  readonly unless?: readonly FailureRule[];
  /** The n-th is merged over the resources of the main container after n attempts were killed for want of memory; the last holds for more. */
  readonly resourcesAfterOOM?: readonly JsonObject[];
}

/** Tells failures apart. It fits a failure when all that it says does. */
export interface FailureRule {
  /** One of these is the exit code of the main container, also when it was killed: 137 after OOM. */
  readonly exitCodes?: readonly number[];
  /** One of these is the reason. */
  readonly reasons?: readonly TaskFailureReason[];
  /** The message contains this text; upper and lower case count. */
  readonly message?: string;
}

const isNumber = (value: unknown) => typeof value === 'number';
const isListOf = (is: (value: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(is);
const isRule = (value: unknown) =>
  isJsonObject(value) &&
  fits(value, {
    exitCodes: isListOf(isNumber),
    reasons: isListOf((reason) => typeof reason === 'string'),
    message: (message) => typeof message === 'string',
  });

/** Whether a parsed JSON value has the shape of a policy. */
export function isRetryPolicy(value: unknown): boolean {
  return (
    isJsonObject(value) &&
    isNumber(value.limit) &&
    fits(value, {
      delaySeconds: isNumber,
      delaysSeconds: isListOf(isNumber),
      factor: isNumber,
      maxDelaySeconds: isNumber,
      jitter: isNumber,
      maxElapsedSeconds: isNumber,
      when: isListOf(isRule),
      unless: isListOf(isRule),
      resourcesAfterOOM: isListOf(isJsonObject),
    })
  );
}

function fits(value: JsonObject, fields: Readonly<Record<string, (field: unknown) => boolean>>): boolean {
  return Object.entries(fields).every(([name, is]) => value[name] === undefined || is(value[name]));
}

/** What makes no sense in a step's retries and timeouts; `at` is where the step is told. */
export function* retryProblems(step: ContainerStep | RunStep, at: string): Generator<Problem> {
  const { retries, systemRetries } = step;
  for (const field of ['pendingTimeoutSeconds', 'attemptTimeoutSeconds', 'timeoutSeconds'] as const)
    yield* numberProblems(`${at}.${field}`, (step as ContainerStep)[field], 'more than 0', (value) => value > 0);
  yield* numberProblems(`${at}.systemRetries`, systemRetries, WHOLE, isWhole);
  if (retries !== undefined) yield* policyProblems(retries, `${at}.retries`);
}

/** What makes no sense in a policy; `inside` is where it is told. */
export function* policyProblems(retries: RetryPolicy, inside: string): Generator<Problem> {
  const { limit, delaysSeconds, jitter, resourcesAfterOOM = [] } = retries;
  yield* numberProblems(`${inside}.limit`, limit, WHOLE, isWhole);
  yield* numberProblems(`${inside}.factor`, retries.factor, 'at least 1', (value) => value >= 1);
  yield* numberProblems(`${inside}.jitter`, jitter, 'from 0 to 1', (value) => value >= 0 && value <= 1);
  for (const field of ['delaySeconds', 'maxDelaySeconds'] as const)
    yield* numberProblems(`${inside}.${field}`, retries[field], 'at least 0', (value) => value >= 0);
  for (const [index, delay] of (delaysSeconds ?? []).entries())
    yield* numberProblems(`${inside}.delaysSeconds[${index}]`, delay, 'at least 0', (value) => value >= 0);
  if (delaysSeconds?.length === 0)
    yield { path: `${inside}.delaysSeconds`, message: 'is empty', fix: 'leave it out for no wait' };
  yield* numberProblems(`${inside}.maxElapsedSeconds`, retries.maxElapsedSeconds, 'more than 0', (value) => value > 0);
  for (const field of ['when', 'unless'] as const) yield* rulesProblems(retries[field], `${inside}.${field}`);
  if (limit === 0 && resourcesAfterOOM.length > 0)
    yield { path: `${inside}.resourcesAfterOOM`, message: 'is for retries, and their limit is 0' };
}

const WHOLE = 'a whole number from 0';
const isWhole = (value: number) => Number.isSafeInteger(value) && value >= 0;

function* numberProblems(path: string, value: number | undefined, what: string, is: (value: number) => boolean) {
  // Also what is no number at all is not what it must be.
  if (value !== undefined && !(is(value) && Number.isFinite(value)))
    yield { path, message: `must be ${what}, not ${String(value)}` };
}

function* rulesProblems(rules: readonly FailureRule[] | undefined, at: string): Generator<Problem> {
  if (rules?.length === 0) yield { path: at, message: 'is empty', fix: 'leave it out to tell no failures apart' };
  for (const [index, { exitCodes, reasons, message }] of (rules ?? []).entries()) {
    const path = `${at}[${index}]`;
    if (exitCodes === undefined && reasons === undefined && message === undefined)
      yield { path, message: 'says nothing', fix: 'give exitCodes, reasons or message' };
    for (const [field, list] of Object.entries({ exitCodes, reasons }))
      if (list?.length === 0) yield { path: `${path}.${field}`, message: 'is empty, so it fits no failure' };
    for (const code of exitCodes ?? [])
      yield* numberProblems(
        `${path}.exitCodes`,
        code,
        'whole numbers from 1 to 255',
        (value) => isWhole(value) && value >= 1 && value <= 255,
      );
    for (const reason of reasons ?? [])
      if (!taskFailureReasons.includes(reason))
        yield {
          path: `${path}.reasons`,
          message: `${show(reason)} is no failure that retries are for`,
          fix: suggest(reason, taskFailureReasons),
        };
    if (message === '') yield { path: `${path}.message`, message: 'is empty, so it fits every failure' };
  }
}
