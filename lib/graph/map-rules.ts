import { isJsonObject } from '../values/json.ts';
import { show, type Problem } from '../values/problems.ts';
import type { IndexedMapStep, MapStep } from './graph.ts';
import { MAX_ITEM_DIGITS } from './items.ts';
import { isNumber, isObjectSchema, isSource, misfits, type ExpectedFields } from './shapes.ts';
import type { StepRules } from './step-kinds.ts';
import { taskRules } from './task-rules.ts';
import { MAX_STEP_NAME } from './step-name.ts';

const isMapLists = (value: unknown) =>
  Array.isArray(value) &&
  value.every((each) => isJsonObject(each) && typeof each.input === 'string' && isSource(each.list));

/** What is wrong with the items that a step runs. */
export function* itemProblems(
  { name, over, concurrency, minSuccesses, minSuccessRatio }: MapStep | IndexedMapStep,
  at: string,
): Generator<Problem> {
  const longest = MAX_STEP_NAME - MAX_ITEM_DIGITS - 1;
  if (name.length > longest)
    yield {
      path: at,
      message: `the name of a map step has at most ${longest} characters, since its items are named after it`,
      fix: `shorten ${show(name)}`,
    };
  if (over.length === 0)
    yield {
      path: `${at}.inputs`,
      message: 'has no list to go over',
      fix: 'give an input a list of its values, or use step(...)',
    };
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency >= 1))
    yield { path: `${at}.concurrency`, message: `must be a whole number from 1, not ${show(concurrency)}` };
  if (minSuccesses !== undefined && !(Number.isInteger(minSuccesses) && minSuccesses >= 0))
    yield { path: `${at}.minSuccesses`, message: `must be a whole number from 0, not ${show(minSuccesses)}` };
  if (minSuccessRatio !== undefined && !(minSuccessRatio >= 0 && minSuccessRatio <= 1))
    yield { path: `${at}.minSuccessRatio`, message: `must be from 0 to 1, not ${show(minSuccessRatio)}` };
  if (minSuccesses !== undefined && minSuccessRatio !== undefined)
    yield { path: `${at}.minSuccesses`, message: 'and minSuccessRatio are both set', fix: 'leave one of them out' };
}

/** What of the fields of the items is not what it must be. */
export const itemFields: ExpectedFields = {
  over: ['a list of inputs and their lists', isMapLists],
  itemOutputs: ['an object schema', isObjectSchema, 'optional'],
  concurrency: ['a number', isNumber, 'optional'],
  minSuccesses: ['a number', isNumber, 'optional'],
  minSuccessRatio: ['a number', isNumber, 'optional'],
};

/** What the graph must know of a step that runs a task for each item of lists. */
export const mapRules: StepRules<MapStep> = {
  *sources(step) {
    for (const { input, list } of step.over) yield [`inputs.${input}`, list];
    yield* taskRules.sources({ ...step, kind: 'task' });
  },
  replace: (step, by) => ({
    ...step,
    ...taskRules.replace({ ...step, kind: 'task' }, by),
    kind: 'map',
    over: step.over.map(({ input, list }) => ({ input, list: by.source(list) })),
  }),
  *misfits(step) {
    yield* taskRules.misfits(step);
    yield* misfits(step, itemFields);
  },
  *problems(step, at) {
    yield* taskRules.problems!({ ...step, kind: 'task' }, at);
    yield* itemProblems(step, at);
  },
  shape: 'box',
  caption: (step) =>
    `${taskRules.caption({ ...step, kind: 'task' }) ?? 'each'} × ${step.over.map(({ input }) => input).join(' × ')}`,
  describe: ({ task, over }) => `task ${task} for each of ${over.map(({ input }) => input).join(', ')}`,
};
