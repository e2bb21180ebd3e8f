import { objectSchema } from '../local/fixtures.ts';
import { rowsOf, withRows } from '../engine/scenario.ts';
import type { Scenario } from './scenario.ts';

const done = 'Succeeded/Completed';
const takesRows = { inputs: { rows: rowsOf('a') } };
const rows = { outputs: { rows: 3 } };

/** What becomes of steps by the ends of others, and by conditions on values. */
export const edges: readonly Scenario[] = [
  {
    name: 'values pass along a diamond and out of the run',
    steps: {
      a: withRows,
      left: { ...withRows, inputs: { rows: rowsOf('a') } },
      right: { ...withRows, inputs: { rows: rowsOf('a') } },
      both: { outputs: objectSchema({ all: 'array' }), inputs: { all: { list: [rowsOf('left'), rowsOf('right')] } } },
    },
    graph: { outputs: { all: { step: 'both', output: 'all' } } },
    does: {
      a: rows,
      left: { passes: { rows: 'rows' } },
      right: { passes: { rows: 'rows' } },
      both: { passes: { all: 'all' } },
    },
    run: done,
    gives: { all: [3, 3] },
    ends: { a: done, left: done, right: done, both: done },
  },
  {
    name: 'an input of the run reaches a step, and its default when it is not given',
    steps: {
      a: {
        outputs: objectSchema({ given: 'integer', missing: 'integer' }),
        inputs: { given: { input: 'given' }, missing: { input: 'missing', default: 7 } },
      },
    },
    graph: {
      inputs: { properties: { given: { type: 'integer' }, missing: { type: 'integer' } }, required: ['given'] },
      outputs: { given: { step: 'a', output: 'given' }, missing: { step: 'a', output: 'missing' } },
    },
    inputs: { given: 1 },
    does: { a: { passes: { given: 'given', missing: 'missing' } } },
    run: done,
    gives: { given: 1, missing: 7 },
    ends: { a: done },
  },
  {
    name: 'a false condition skips a step; what only comes after it runs',
    steps: { a: { when: { cel: '1 > 2', steps: [] } }, b: { after: ['a'] } },
    run: done,
    ends: { a: 'Skipped/WhenFalse', b: done },
  },
  {
    name: 'what takes a value of a step that did not run is skipped, and so is what comes after',
    steps: { a: { ...withRows, when: { cel: 'false', steps: [] } }, b: takesRows, c: { after: ['b'] } },
    run: done,
    ends: { a: 'Skipped/WhenFalse', b: 'Skipped/InputUnavailable', c: 'Skipped/UpstreamSkipped' },
  },
  {
    name: 'a default takes the place of a value that is not there',
    steps: {
      a: { ...withRows, when: { cel: 'false', steps: [] } },
      b: { ...withRows, inputs: { rows: rowsOf('a', 9) } },
    },
    graph: { outputs: { rows: rowsOf('b') } },
    does: { b: { passes: { rows: 'rows' } } },
    run: done,
    gives: { rows: 9 },
    ends: { a: 'Skipped/WhenFalse', b: done },
  },
  {
    name: 'a condition reads what a step gave',
    steps: {
      a: withRows,
      many: { when: { cel: 'steps.a.outputs.rows > 2', steps: ['a'] } },
      few: { when: { cel: 'steps.a.outputs.rows <= 2', steps: ['a'] } },
    },
    does: { a: rows },
    run: done,
    ends: { a: done, many: done, few: 'Skipped/WhenFalse' },
  },
  {
    name: 'a condition that cannot be worked out fails its step',
    steps: { a: withRows, b: { when: { cel: '6 / (steps.a.outputs.rows - 3) > 1', steps: ['a'] } } },
    does: { a: rows },
    run: 'Failed/StepFailed',
    ends: { a: done, b: 'Failed/ConditionError' },
  },
  {
    name: 'a condition reads how a step ended',
    steps: {
      a: { continueOnFailure: true },
      b: { when: { cel: 'steps.a.status.reason == "ExitCode"', steps: [], statuses: ['a'] } },
    },
    does: { a: { exit: 4 } },
    run: done,
    ends: { a: 'Failed/ExitCode', b: done },
  },
  {
    name: 'the first value that is there is taken',
    steps: {
      a: { ...withRows, when: { cel: 'false', steps: [] } },
      b: withRows,
      c: { ...withRows, inputs: { rows: { first: [rowsOf('a'), rowsOf('b')] } } },
    },
    graph: { outputs: { rows: rowsOf('c') } },
    does: { b: rows, c: { passes: { rows: 'rows' } } },
    run: done,
    gives: { rows: 3 },
    ends: { a: 'Skipped/WhenFalse', b: done, c: done },
  },
  {
    name: 'a step that looks for a failure runs after it, and the run has succeeded',
    steps: { a: {}, b: { depends: { step: 'a', ended: 'failed' } } },
    does: { a: { exit: 1 } },
    graph: { failurePolicy: 'RunIndependent' },
    run: done,
    ends: { a: 'Failed/ExitCode', b: done },
  },
  {
    name: 'a step that looks for a failure is skipped when there is none',
    steps: { a: {}, b: { depends: { step: 'a', ended: 'failed' } }, c: { after: ['b'] } },
    run: done,
    ends: { a: done, b: 'Skipped/AfterFalse', c: 'Skipped/UpstreamSkipped' },
  },
  {
    name: 'a step runs when one of several has succeeded, as soon as that is known',
    steps: {
      quick: {},
      slow: {},
      b: {
        depends: {
          any: [
            { step: 'quick', ended: 'succeeded' },
            { step: 'slow', ended: 'succeeded' },
          ],
        },
      },
      stop: { after: ['b'] },
    },
    does: { slow: { seconds: 600 }, stop: { exit: 1 } },
    graph: { failurePolicy: 'CancelRunning' },
    run: 'Failed/StepFailed',
    ends: { quick: done, slow: 'Cancelled/FailurePolicy', b: done, stop: 'Failed/ExitCode' },
  },
  {
    name: 'a step that needs several ends is skipped when one of them is another',
    steps: {
      a: {},
      b: { continueOnFailure: true },
      c: {
        depends: {
          all: [
            { step: 'a', ended: 'succeeded' },
            { step: 'b', ended: 'succeeded' },
          ],
        },
      },
    },
    does: { b: { exit: 1 } },
    run: done,
    ends: { a: done, b: 'Failed/ExitCode', c: 'Skipped/AfterFalse' },
  },
  {
    name: 'a step that only wants another finished runs whatever its end, also where it was skipped',
    steps: {
      a: { when: { cel: 'false', steps: [] } },
      b: {
        depends: {
          all: [{ step: 'a', ended: 'finished' }, { not: { step: 'a', ended: 'succeeded' } }],
        },
      },
    },
    run: done,
    ends: { a: 'Skipped/WhenFalse', b: done },
  },
  {
    name: 'a step takes the end of another as a value',
    steps: {
      a: { continueOnFailure: true },
      b: { outputs: objectSchema({ tries: 'integer' }), inputs: { tries: { status: 'a', field: 'attempt' } } },
    },
    graph: { outputs: { tries: { step: 'b', output: 'tries' } } },
    does: { a: { exit: 1 }, b: { passes: { tries: 'tries' } } },
    run: done,
    gives: { tries: 1 },
    ends: { a: 'Failed/ExitCode', b: done },
  },
];
