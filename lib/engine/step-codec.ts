import { isJsonObject, type Json, type JsonObject } from '../values/json.ts';
import type { Problem } from '../values/problems.ts';
import { attemptFields, readFields, stepFields } from './codec-fields.ts';
import type { AttemptRecord, StepRecord } from './record.ts';

/** A step's record in full: times are written as ISO 8601 in UTC, since people read records. */
export function stepJson(step: StepRecord): JsonObject {
  const attempts = step.attempts.map((attempt) => ({
    ...attempt,
    ...times(attempt, ['createdAt', 'startedAt', 'finishedAt']),
  }));
  return { ...step, ...times(step, ['readyAt', 'retryAt', 'until', 'finishedAt']), attempts } as unknown as JsonObject;
}

/**
 * A step's record in short, `[ready, created, started, finished, outputs]` in milliseconds, each time counted from the one
 * before and the first from `at`; one that was taken over is `[finished, outputs, message]`, one from the cache the same with
 * `Cached` as the fourth. Nothing unless the step succeeded at once, in the plainest way, here or there.
 */
export function plainStep(step: StepRecord, at: number): Json | undefined {
  if (step.reason === 'Recovered' || step.reason === 'Cached') return plainTakenOver(step, at);
  const { phase, reason, attempts, readyAt, finishedAt, outputs, ...odd } = step;
  const [attempt, ...others] = attempts;
  if (attempt === undefined || others.length > 0 || phase !== 'Succeeded' || reason !== 'Completed') return undefined;
  const { number, phase: _, reason: __, createdAt, startedAt, finishedAt: end, ...oddAttempt } = attempt;
  if ([...Object.values(odd), ...Object.values(oddAttempt)].some((value) => value !== undefined)) return undefined;
  if (number !== 1 || readyAt === undefined || startedAt === undefined || end === undefined || end !== finishedAt)
    return undefined;
  const times = [readyAt - at, createdAt - readyAt, startedAt - createdAt, end - startedAt];
  return outputs === undefined ? times : [...times, outputs];
}

function plainTakenOver(step: StepRecord, at: number): Json | undefined {
  const { phase, reason, attempts, finishedAt, outputs = null, message, ...odd } = step;
  if (phase !== 'Succeeded' || attempts.length > 0 || finishedAt === undefined) return undefined;
  if (Object.values(odd).some((value) => value !== undefined)) return undefined;
  if (reason === 'Cached') return [finishedAt - at, outputs, message ?? null, reason];
  return message === undefined ? [finishedAt - at, outputs] : [finishedAt - at, outputs, message];
}

/** The record that either of them wrote; what is wrong with it becomes problems, and then the result is not to be used. */
export function readStep(json: Json, at: number, path: string, problems: Problem[]): StepRecord | undefined {
  if (Array.isArray(json)) return readPlain(json as readonly Json[], at, path, problems);
  if (isJsonObject(json)) return readFull(json, path, problems);
  problems.push({ path, message: 'must be a JSON object or a list' });
  return undefined;
}

function readTakenOver(step: readonly Json[], at: number, path: string, problems: Problem[]): StepRecord | undefined {
  const [finished, outputs, said, reason = 'Recovered'] = step;
  const message = said ?? undefined;
  const fits = outputs === null || isJsonObject(outputs);
  if (!Number.isSafeInteger(finished) || !fits || (message !== undefined && typeof message !== 'string')) {
    problems.push({ path, message: 'must be a whole number, outputs or null and, if there is one, a message' });
    return undefined;
  }
  const record = {
    phase: 'Succeeded',
    reason: reason as 'Recovered' | 'Cached',
    attempts: [],
    finishedAt: at + (finished as number),
  } as const;
  return { ...record, ...(outputs && { outputs }), ...(message !== undefined && { message }) };
}

function readPlain(step: readonly Json[], at: number, path: string, problems: Problem[]): StepRecord | undefined {
  if (step.length === 2 || step.length === 3 || step[3] === 'Cached') return readTakenOver(step, at, path, problems);
  const [ready, created, started, finished, outputs] = step;
  const times = [ready, created, started, finished];
  if (!times.every(Number.isSafeInteger) || step.length > 5 || (outputs !== undefined && !isJsonObject(outputs))) {
    problems.push({ path, message: 'must be four whole numbers and, if there are any, outputs' });
    return undefined;
  }
  const readyAt = at + (ready as number);
  const createdAt = readyAt + (created as number);
  const startedAt = createdAt + (started as number);
  const finishedAt = startedAt + (finished as number);
  const attempt: AttemptRecord = {
    number: 1,
    phase: 'Succeeded',
    reason: 'Completed',
    createdAt,
    startedAt,
    finishedAt,
  };
  const record = { phase: 'Succeeded', reason: 'Completed', attempts: [attempt], readyAt, finishedAt } as const;
  return outputs === undefined ? record : { ...record, outputs: outputs as JsonObject };
}

function readFull(json: JsonObject, path: string, problems: Problem[]): StepRecord {
  const step = readFields<StepRecord>(json, stepFields, path, problems);
  const attempts: AttemptRecord[] = [];
  for (const [index, item] of (Array.isArray(json.attempts) ? (json.attempts as unknown[]) : []).entries()) {
    const at = `${path}.attempts[${index}]`;
    if (isJsonObject(item)) attempts.push(readFields<AttemptRecord>(item, attemptFields, at, problems));
    else problems.push({ path: at, message: 'must be a JSON object' });
  }
  const wrong = inconsistency(step, attempts);
  if (wrong !== undefined) problems.push({ path: `${path}.attempts`, message: wrong });
  // Without these a waiting step would wait for ever.
  if (step.phase === 'Waiting' && step.readyAt === undefined)
    problems.push({ path: `${path}.readyAt`, message: 'is missing, since the step is Waiting' });
  if (step.phase === 'Waiting' && step.reason === 'Backoff' && step.retryAt === undefined)
    problems.push({ path: `${path}.retryAt`, message: 'is missing, since the step waits for a retry' });
  return { ...step, attempts };
}

/** What the engine takes for granted of a step and its attempts. */
function inconsistency({ phase, reason, items }: StepRecord, attempts: readonly AttemptRecord[]): string | undefined {
  const numbers = attempts.map((attempt) => attempt.number);
  if (numbers.some((number, index) => index > 0 && number <= numbers[index - 1]!))
    return `must be in the order of their numbers, not ${numbers.join(', ')}`;
  const live = attempts.filter((attempt) => attempt.phase === 'Running').length;
  const shouldBe = phase === 'Running' && reason !== 'CheckingCache' && items === undefined ? 1 : 0;
  if (live !== shouldBe || (shouldBe === 1 && attempts.at(-1)?.phase !== 'Running'))
    return `must ${shouldBe === 1 ? 'end with the only' : 'have no'} running one, since the step is ${phase}`;
  return phase === 'Pending' && attempts.length > 0 ? 'must be empty, since the step is Pending' : undefined;
}

/** Those of the fields that are times, as ISO 8601. */
export function times<T extends object>(of: T, names: readonly (keyof T & string)[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (typeof of[name] === 'number' ? [[name, new Date(of[name]).toISOString()]] : [])),
  );
}
