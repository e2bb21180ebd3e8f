import { objectSchema } from '../local/fixtures.ts';
import type { StepSketch } from '../engine/scenario.ts';
import type { Scenario } from './scenario.ts';

const done = 'Succeeded/Completed';
const exit = 'Failed/ExitCode';
const ints = { type: 'array', items: { type: 'integer' } };
const maybeInts = { type: 'array', items: { anyOf: [{ type: 'integer' }, { type: 'null' }] } };

/** A map over a list of numbers whose items give the number back. */
const scores = (over: object, more: object = {}): StepSketch =>
  ({
    kind: 'map',
    inputs: { n: { item: 'n' } },
    over: [{ input: 'n', list: over }],
    itemOutputs: objectSchema({ n: 'integer' }),
    outputs: { properties: { n: ints }, required: ['n'] },
    ...more,
  }) as StepSketch;

const gives = { outputs: { n: { step: 'score', output: 'n' } } } as const;
const echo = { passes: { n: 'n' } };
const three = { value: [10, 20, 30] };
const each = { 'score-0': echo, 'score-1': echo, 'score-2': echo };

/** Steps that run a task for each item of lists. */
export const maps: readonly Scenario[] = [
  {
    name: 'a map gives what its items gave, in their order',
    steps: { score: scores(three) },
    graph: gives,
    does: { ...each, 'score-0': { ...echo, seconds: 0.3 } },
    run: done,
    gives: { n: [10, 20, 30] },
    ends: { score: done, 'score-0': done, 'score-1': done, 'score-2': done },
  },
  {
    name: 'a map goes over a list that another step gives',
    steps: {
      list: { outputs: { properties: { n: ints }, required: ['n'] } },
      score: scores({ step: 'list', output: 'n' }),
    },
    graph: gives,
    does: { list: { outputs: { n: [5, 6] } }, ...each },
    run: done,
    gives: { n: [5, 6] },
    ends: { list: done, score: done, 'score-0': done, 'score-1': done },
  },
  {
    name: 'a map over an empty list has succeeded and gives an empty list',
    steps: { score: scores({ value: [] }), next: { after: ['score'] } },
    graph: gives,
    run: done,
    gives: { n: [] },
    ends: { score: done, next: done },
  },
  {
    name: 'a map over two lists runs each item of one with each of the other',
    steps: {
      score: scores(
        { value: [1, 2] },
        {
          inputs: { n: { item: 'n' }, m: { item: 'm' } },
          over: [
            { input: 'n', list: { value: [1, 2] } },
            { input: 'm', list: { value: [7, 8] } },
          ],
        },
      ),
    },
    graph: gives,
    does: { ...each, 'score-3': echo, 'score-1': { passes: { n: 'm' } } },
    run: done,
    gives: { n: [1, 8, 2, 2] },
    ends: { score: done, 'score-0': done, 'score-1': done, 'score-2': done, 'score-3': done },
  },
  {
    name: 'an item that fails fails the map, and the items that run come to their end',
    steps: { score: scores(three), next: { after: ['score'] } },
    does: { ...each, 'score-1': { exit: 1 } },
    run: 'Failed/StepFailed',
    ends: {
      score: 'Failed/ItemsFailed',
      'score-0': done,
      'score-1': exit,
      'score-2': done,
      next: 'Skipped/UpstreamFailed',
    },
  },
  {
    name: 'a map that may lack items gives null for those that failed',
    steps: { score: scores(three, { minSuccesses: 2, outputs: { properties: { n: maybeInts }, required: ['n'] } }) },
    graph: gives,
    does: { ...each, 'score-1': { exit: 1 } },
    run: done,
    gives: { n: [10, null, 30] },
    ends: { score: done, 'score-0': done, 'score-1': exit, 'score-2': done },
  },
  {
    name: 'an item has attempts of its own',
    steps: { score: scores(three, { retries: { limit: 1, delaySeconds: 0 } }) },
    graph: gives,
    does: { ...each, 'score-2': [{ exit: 1 }, echo] },
    run: done,
    gives: { n: [10, 20, 30] },
    ends: { score: done, 'score-0': done, 'score-1': done, 'score-2': done },
    attempts: { 'score-0': ['Completed'], 'score-2': ['ExitCode', 'Completed'] },
  },
  {
    name: 'one item after the other runs, and no more start once the map has failed',
    steps: { score: scores(three, { concurrency: 1 }) },
    does: { 'score-0': { exit: 1 } },
    run: 'Failed/StepFailed',
    ends: {
      score: 'Failed/ItemsFailed',
      'score-0': exit,
      'score-1': 'Cancelled/MapStopped',
      'score-2': 'Cancelled/MapStopped',
    },
  },
  {
    name: 'a map whose time is up ends the items that run',
    steps: { score: scores(three, { timeoutSeconds: 1 }) },
    does: { ...each, 'score-1': { seconds: 600 } },
    run: 'Failed/StepFailed',
    ends: { score: 'Failed/StepTimeout', 'score-0': done, 'score-1': 'Cancelled/MapStopped', 'score-2': done },
  },
];
