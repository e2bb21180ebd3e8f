import type { Duration } from 'cdk8s';
import type { CachePolicy } from '../lib/graph/cache.ts';
import { fullHash } from '../lib/values/hash.ts';
import { show, suggest, type Problem } from '../lib/values/problems.ts';
import type { Shape } from '../lib/values/shape.ts';
import { seconds } from './settings.ts';
import { toSource } from './sources.ts';
import type { StepTemplate } from './step-template.ts';
import type { Task } from './task.ts';

/**
 * When a step takes the result of an equal one, whichever run that was in. Steps are equal when they have the same task, version,
 * outputs and inputs, and run the same: image, command, arguments and environment.
 *
 * @example
 * cache: { version: '1', ttl: Duration.days(7), ignoreInputs: ['verbose'] }
 */
export interface Cache<Input extends string = string> {
  /** Change it when the step would give something else, and neither its image nor its inputs say so. */
  readonly version: string;
  /** How old a result may be. @default it may be deleted after 90 days, and is taken as long as it is there */
  readonly ttl?: Duration;
  /** Inputs that do not change the result. @default all inputs count */
  readonly ignoreInputs?: readonly Input[];
  /** Of equal steps of all runs one at a time runs, and the others wait for its result. @default false */
  readonly serialize?: boolean;
}

/** A cache setting as the graph carries it. */
export function cachePolicy(
  { version, ttl, ignoreInputs = [], serialize }: Cache,
  { name, outputSchema }: Task<Shape, Shape>,
  { known, values }: StepTemplate['content'],
  workflow: object,
): CachePolicy {
  return {
    key: fullHash([name, version, outputSchema, known]),
    ...(values !== undefined && { content: toSource(values, workflow) }),
    ...(ttl && { ttlSeconds: seconds(ttl) }),
    ...(ignoreInputs.length > 0 && { ignoreInputs }),
    ...(serialize && { serialize }),
  };
}

/** What is wrong with it. */
export function* cacheProblems(
  cache: Cache | undefined,
  { name, inputSchema }: Task<Shape, Shape>,
): Generator<Problem> {
  if (cache === undefined) return;
  const { version, ignoreInputs = [] } = cache;
  if (typeof version !== 'string' || version === '')
    yield { path: 'cache.version', message: `must be a text, not ${show(version)}`, fix: "begin with '1'" };
  const inputs = Object.keys(inputSchema.properties);
  for (const [index, input] of ignoreInputs.entries())
    if (!inputs.includes(input))
      yield {
        path: `cache.ignoreInputs[${index}]`,
        message: `task ${show(name)} has no input ${show(input)}`,
        fix: suggest(input, inputs),
      };
}
