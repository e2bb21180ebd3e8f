import type { TaskStep } from '../graph/graph.ts';
import type { AttemptedStep } from '../graph/items.ts';
import type { FailureRule, RetryPolicy } from '../graph/retries.ts';
import { unitHash } from '../values/hash.ts';
import type { JsonObject } from '../values/json.ts';
import type { AttemptRecord, Instant } from './record.ts';

/** What the platform's own failures may cost a step, whatever its task allows for its own. */
const SYSTEM_RETRIES: RetryPolicy = { limit: 3, delaySeconds: 1, factor: 2, jitter: 0.5 };

/** The attempt that follows a failed one. */
export interface Retry {
  /** Counts from 1, within the budget. */
  readonly number: number;
  readonly limit: number;
  /** Milliseconds from the end of the failed attempt. */
  readonly wait: number;
}

/** The attempt that follows, or, although the budget had room, why there is none; neither when the budget is spent. */
export interface NextAttempt {
  readonly retry?: Retry;
  readonly refused?: string;
}

/** Whether another attempt follows the last of these; the failure is charged to the budget of its kind. */
export function nextAttempt(run: string, node: TaskStep, attempts: readonly AttemptRecord[]): NextAttempt {
  const last = attempts.at(-1);
  const budget = last?.failure === 'system' ? systemBudget(node) : last?.failure === 'user' ? node.retries : undefined;
  if (last === undefined || budget === undefined) return {};
  const number = attempts.filter((attempt) => attempt.failure === last.failure).length;
  if (number > budget.limit) return {};
  if (!isFor(budget, last)) return { refused: 'its retries are not for such a failure' };
  const wait = retryWait(budget, number, unitHash(`${run}/${node.name}/${last.number}`));
  const lastChanceAt = retriesEndAt(node, attempts);
  if (lastChanceAt !== undefined && (last.finishedAt ?? last.createdAt) + wait >= lastChanceAt)
    return { refused: retriesOver(node) };
  return { retry: { number, limit: budget.limit, wait } };
}

/** How many attempts a step can have, whatever becomes of them. */
export function mostAttempts(node: AttemptedStep): number {
  // The tries of an indexed map are those of its items, within one attempt.
  const { retries }: Pick<TaskStep, 'retries'> = node.kind === 'indexedMap' ? {} : node;
  return 1 + (retries?.limit ?? 0) + systemBudget(node).limit;
}

/** From when on no attempt follows the last of these; nothing without such a limit, and after a failure of the platform. */
export function retriesEndAt({ retries }: TaskStep, attempts: readonly AttemptRecord[]): Instant | undefined {
  const first = attempts[0];
  if (first === undefined || attempts.at(-1)?.failure !== 'user' || retries?.maxElapsedSeconds === undefined)
    return undefined;
  return first.createdAt + retries.maxElapsedSeconds * 1000;
}

/** Why no attempt follows after {@link retriesEndAt}. */
export function retriesOver({ retries }: TaskStep): string {
  return `no retry begins ${retries?.maxElapsedSeconds} s after the first attempt`;
}

/** Whether the platform has failed a step so often that the next time would be the last. */
export function isLastChance(node: TaskStep, attempts: readonly AttemptRecord[]): boolean {
  return attempts.filter(({ failure }) => failure === 'system').length >= systemBudget(node).limit;
}

/** What the main container of the attempt that follows these asks for, over its template, since attempts were killed for want of memory. */
export function resourcesAfterOOM({ retries }: TaskStep, attempts: readonly AttemptRecord[]): JsonObject | undefined {
  const steps = retries?.resourcesAfterOOM ?? [];
  const kills = attempts.filter(({ reason }) => reason === 'OOMKilled').length;
  return steps[Math.min(kills, steps.length) - 1];
}

/** The wait before the n-th retry in whole milliseconds; `chance` is from 0 to 1. */
export function retryWait(policy: RetryPolicy, number: number, chance: number): number {
  const { delaysSeconds, delaySeconds = 0, factor = 2, maxDelaySeconds = 3600, jitter = 0.1 } = policy;
  // A delay of 0 stays 0, also where the factor's power is beyond what a number holds.
  const growing = delaySeconds === 0 ? 0 : Math.min(delaySeconds * factor ** (number - 1), maxDelaySeconds);
  const seconds = delaysSeconds === undefined ? growing : (delaysSeconds[number - 1] ?? delaysSeconds.at(-1) ?? 0);
  return Math.max(0, Math.round(seconds * 1000 * (1 - jitter * chance)));
}

function systemBudget({ systemRetries }: Pick<TaskStep, 'systemRetries'>): RetryPolicy {
  return systemRetries === undefined ? SYSTEM_RETRIES : { ...SYSTEM_RETRIES, limit: systemRetries };
}

function isFor({ when, unless }: RetryPolicy, failure: AttemptRecord): boolean {
  const fits = (rule: FailureRule) => fitsRule(rule, failure);
  return (when?.some(fits) ?? true) && !(unless?.some(fits) ?? false);
}

function fitsRule({ exitCodes, reasons, message }: FailureRule, failure: AttemptRecord): boolean {
  return (
    (exitCodes === undefined || (failure.exitCode !== undefined && exitCodes.includes(failure.exitCode))) &&
    (reasons === undefined || (reasons as readonly string[]).includes(failure.reason)) &&
    (message === undefined || (failure.message ?? '').includes(message))
  );
}
