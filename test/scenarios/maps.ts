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

/** The same as one Indexed Job. */
const indexed = (over: object, more: object = {}): StepSketch => scores(over, { kind: 'indexedMap', ...more });

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
  {
    name: 'a map as one Job gives what its items gave, in their order',
    steps: { score: indexed(three) },
    graph: gives,
    does: { ...each, 'score-0': { ...echo, seconds: 0.3 } },
    run: done,
    gives: { n: [10, 20, 30] },
    ends: { score: done },
    attempts: { score: ['Completed'] },
  },
  {
    name: 'a map as one Job goes over a list that another step gives, and hands on what came of it',
    steps: {
      list: { outputs: { properties: { n: ints }, required: ['n'] } },
      score: indexed({ step: 'list', output: 'n' }),
      merge: { inputs: { n: { step: 'score', output: 'n' } }, outputs: { properties: { n: ints }, required: ['n'] } },
    },
    graph: { outputs: { n: { step: 'merge', output: 'n' } } },
    does: { list: { outputs: { n: [5, 6] } }, ...each, merge: echo },
    run: done,
    gives: { n: [5, 6] },
    ends: { list: done, score: done, merge: done },
  },
  {
    name: 'a map as one Job over an empty list has succeeded and gives an empty list',
    steps: { score: indexed({ value: [] }), next: { after: ['score'] } },
    graph: gives,
    run: done,
    gives: { n: [] },
    ends: { score: done, next: done },
    attempts: { score: [] },
  },
  {
    name: 'a map as one Job over two lists runs each item of one with each of the other',
    steps: {
      score: indexed(three, {
        inputs: { n: { item: 'n' }, k: { item: 'k' }, all: { value: 7 } },
        over: [
          { input: 'n', list: { value: [1, 2] } },
          { input: 'k', list: { value: [3, 4] } },
        ],
        itemOutputs: objectSchema({ n: 'integer', k: 'integer', all: 'integer' }),
        outputs: { properties: { n: ints, k: ints, all: ints }, required: ['n', 'k', 'all'] },
      }),
    },
    graph: {
      outputs: {
        n: { step: 'score', output: 'n' },
        k: { step: 'score', output: 'k' },
        all: { step: 'score', output: 'all' },
      },
    },
    does: Object.fromEntries([0, 1, 2, 3].map((item) => [`score-${item}`, { passes: { n: 'n', k: 'k', all: 'all' } }])),
    run: done,
    gives: { n: [1, 1, 2, 2], k: [3, 4, 3, 4], all: [7, 7, 7, 7] },
    ends: { score: done },
  },
  {
    name: 'a map as one Job over what is no list fails',
    steps: { score: indexed({ value: 3 }) },
    run: 'Failed/StepFailed',
    ends: { score: 'Failed/ItemsInvalid' },
    attempts: { score: [] },
  },
  {
    name: 'a map as one Job fails when an item does, and nothing tries it again as a whole',
    steps: { score: indexed(three), next: { after: ['score'] } },
    does: { ...each, 'score-1': { exit: 3 } },
    run: 'Failed/StepFailed',
    ends: { score: 'Failed/ItemsFailed', next: 'Skipped/UpstreamFailed' },
    attempts: { score: ['ItemsFailed'] },
  },
  {
    name: 'items of a map as one Job that may fail have null in their places, also those whose outputs do not fit',
    steps: { score: indexed(three, { minSuccesses: 1, outputs: { properties: { n: maybeInts }, required: ['n'] } }) },
    graph: gives,
    does: { ...each, 'score-0': { outputs: { n: 'ten' } }, 'score-1': { exit: 3 } },
    run: done,
    gives: { n: [null, null, 30] },
    ends: { score: done },
  },
  {
    name: 'outputs of one item that are missing fail a map as one Job',
    steps: { score: indexed(three) },
    does: { ...each, 'score-2': {} },
    run: 'Failed/StepFailed',
    ends: { score: 'Failed/ItemsFailed' },
  },
  {
    name: 'an exit code that no other try could mend ends an item of one Job',
    steps: { score: indexed(three, { itemRetries: { limit: 5, unless: [{ exitCodes: [64] }] } }) },
    does: { ...each, 'score-1': { exit: 64 } },
    run: 'Failed/StepFailed',
    ends: { score: 'Failed/ItemsFailed' },
  },
  {
    name: 'an item of one Job that takes too long has failed',
    steps: {
      score: indexed(three, {
        itemTimeoutSeconds: 1,
        minSuccesses: 2,
        outputs: { properties: { n: maybeInts }, required: ['n'] },
      }),
    },
    graph: gives,
    does: { ...each, 'score-1': { seconds: 600 } },
    run: done,
    gives: { n: [10, null, 30] },
    ends: { score: done },
  },
  {
    name: 'a map as one Job whose time is up ends with what runs of it',
    steps: { score: indexed(three, { timeoutSeconds: 1 }) },
    does: { ...each, 'score-1': { seconds: 600 } },
    run: 'Failed/StepFailed',
    ends: { score: 'Failed/StepTimeout' },
    attempts: { score: ['StepTimeout'] },
  },
  {
    name: 'a map as one Job is cancelled with its run',
    steps: { score: indexed(three) },
    does: { ...each, 'score-1': { seconds: 600 } },
    asked: { once: 'score: ItemsRunning', cancel: 'Now' },
    run: 'Cancelled/CancelRequested',
    ends: { score: 'Cancelled/CancelRequested' },
  },
];
