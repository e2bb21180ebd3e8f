import { show } from '../values/problems.ts';
import type { IndexedMapStep, MapStep } from './graph.ts';
import { itemFields, itemProblems, mapRules } from './map-rules.ts';
import { itemRetryProblems } from './item-retries.ts';
import { isRetryPolicy, retryProblems, type FailureRule } from './retries.ts';
import { isNumber, isOneOf, misfits } from './shapes.ts';
import type { StepRules } from './step-kinds.ts';
import { taskRules } from './task-rules.ts';

/** What the graph must know of a step that runs a task for each item of lists as one Indexed Job. */
export const indexedMapRules: StepRules<IndexedMapStep> = {
  sources: (step) => mapRules.sources(asMap(step)),
  replace: (step, by) => ({ ...step, ...mapRules.replace(asMap(step), by), kind: 'indexedMap', runAs: 'Job' }),
  *misfits(step) {
    yield* taskRules.misfits(step);
    yield* misfits(step, itemFields);
    yield* misfits(step, {
      runAs: ['Job', isOneOf('Job')],
      itemRetries: ['a retry policy', isRetryPolicy, 'optional'],
      itemTimeoutSeconds: ['a number', isNumber, 'optional'],
    });
  },
  *problems(step, at) {
    const { itemRetries, itemTimeoutSeconds } = step;
    yield* retryProblems({ ...asMap(step), kind: 'task', ...(itemRetries && { retries: itemRetries }) }, at);
    yield* itemProblems(step, at);
    yield* itemRetryProblems(step, at);
    if (itemTimeoutSeconds !== undefined && !(Number.isInteger(itemTimeoutSeconds) && itemTimeoutSeconds >= 1))
      yield {
        path: `${at}.attemptTimeout`,
        message: `must be whole seconds, at least 1, not ${show(itemTimeoutSeconds)}`,
      };
  },
  shape: 'box',
  caption: (step) => mapRules.caption(asMap(step)),
  describe: (step) => `${mapRules.describe(asMap(step))}, as one Indexed Job`,
};

const asMap = (step: IndexedMapStep): MapStep => ({ ...step, kind: 'map' });

/** Exit codes that end the tries of an item, as a Job tells them apart. */
export function finalExitCodes({ itemRetries }: Pick<IndexedMapStep, 'itemRetries'>) {
  const codes = (rules: readonly FailureRule[]) => [...new Set(rules.flatMap(({ exitCodes = [] }) => exitCodes))];
  const { when, unless } = itemRetries ?? {};
  return {
    ...(unless && { in: codes(unless) }),
    ...(when && { notIn: codes(when) }),
  } as { readonly in?: readonly number[]; readonly notIn?: readonly number[] };
}
