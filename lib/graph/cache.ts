import { isJsonObject } from '../values/json.ts';
import type { Problem } from '../values/problems.ts';
import type { TaskStep } from './graph.ts';
import type { ValueSource } from './value-source.ts';
import { isNumber, isOneOf, isSource, isString, isStrings, misfits } from './shapes.ts';

/** When a step takes the result of an equal one that ran before, whichever run that was in. */
export interface CachePolicy {
  /** A hash of what decides the result and is known at synth: task, version, outputs, and what the main container runs. */
  readonly key: string;
  /** What of the main container waits for values that are no inputs of the task. Left out when nothing does. */
  readonly content?: ValueSource;
  /** How old a result may be. @default however old */
  readonly ttlSeconds?: number;
  /** Inputs that do not count. @default all count */
  readonly ignoreInputs?: readonly string[];
  /** Of the steps that would give this result one at a time runs, and the others wait for it. @default false */
  readonly serialize?: boolean;
}

/** Whether a value is one. */
export function isCachePolicy(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const wrong = misfits(value, {
    key: ['a string', isString],
    content: ['a value source', isSource, 'optional'],
    ttlSeconds: ['a number', isNumber, 'optional'],
    ignoreInputs: ['a list of inputs', isStrings, 'optional'],
    serialize: ['true or false', isOneOf(true, false), 'optional'],
  });
  return [...wrong].length === 0;
}

/** What is wrong with the cache policy of a step. */
export function* cacheProblems({ cache }: Pick<TaskStep, 'cache'>, at: string): Generator<Problem> {
  if (cache?.ttlSeconds !== undefined && !(cache.ttlSeconds > 0))
    yield { path: `${at}.cache.ttl`, message: `must be more than 0, not ${cache.ttlSeconds} s`, fix: 'leave it out' };
}
