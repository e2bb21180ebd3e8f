import { objectSchema } from '../local/fixtures.ts';
import { rowsOf, withRows } from '../engine/scenario.ts';
import type { Scenario } from './scenario.ts';

const done = 'Succeeded/Completed';
const exit = 'Failed/ExitCode';
const onFailure = { role: 'onFailure' } as const;
const atEnd = { role: 'finally' } as const;
const long = { seconds: 600 };
const three = { a: {}, next: { after: ['a'] }, tidy: atEnd };

/** How runs end: handlers, cancellation, outputs. */
export const endings: readonly Scenario[] = [
  {
    name: 'a run of no steps has succeeded',
    steps: {},
    run: done,
    ends: {},
  },
  {
    name: 'after a failure the handlers run, then what runs at every end; the run has failed',
    steps: { a: {}, report: onFailure, tidy: atEnd },
    does: { a: { exit: 1 } },
    run: 'Failed/StepFailed',
    ends: { a: exit, report: done, tidy: done },
  },
  {
    name: 'without a failure the handlers are skipped, and what runs at every end runs',
    steps: { a: {}, report: onFailure, tidy: atEnd },
    run: done,
    ends: { a: done, report: 'Skipped/NoFailure', tidy: done },
  },
  {
    name: 'a failure at the end fails the run',
    steps: { a: {}, tidy: atEnd },
    does: { tidy: { exit: 1 } },
    run: 'Failed/StepFailed',
    ends: { a: done, tidy: exit },
  },
  {
    name: 'what runs at the end knows how the others ended',
    steps: {
      a: {},
      tidy: {
        ...atEnd,
        outputs: objectSchema({ tries: 'integer' }),
        inputs: { tries: { status: 'a', field: 'attempt' } },
        when: { cel: 'steps.a.status.phase == "Succeeded"', steps: [], statuses: ['a'] },
      },
    },
    graph: { outputs: { tries: { step: 'tidy', output: 'tries' } } },
    does: { tidy: { passes: { tries: 'tries' } } },
    run: done,
    gives: { tries: 1 },
    ends: { a: done, tidy: done },
  },
  {
    name: 'an output of the run that no step gave is left out',
    steps: { a: { ...withRows, when: { cel: 'false', steps: [] } } },
    graph: { outputs: { rows: rowsOf('a') } },
    run: done,
    ends: { a: 'Skipped/WhenFalse' },
  },
  {
    name: 'a run that is cancelled now ends what runs, and runs nothing at its end',
    steps: three,
    does: { a: long },
    asked: { once: 'a: ContainerRunning', cancel: 'Now' },
    run: 'Cancelled/CancelRequested',
    ends: { a: 'Cancelled/CancelRequested', next: 'Cancelled/CancelRequested', tidy: 'Cancelled/CancelRequested' },
  },
  {
    name: 'a run that is cancelled with RunFinally ends what runs, then runs what belongs to its end',
    steps: three,
    does: { a: long },
    asked: { once: 'a: ContainerRunning', cancel: 'RunFinally' },
    run: 'Cancelled/CancelRequested',
    ends: { a: 'Cancelled/CancelRequested', next: 'Cancelled/CancelRequested', tidy: done },
  },
  {
    name: 'a run that is drained lets what runs come to its end',
    steps: three,
    does: { a: { seconds: 2 } },
    asked: { once: 'a: ContainerRunning', cancel: 'Drain' },
    run: 'Cancelled/CancelRequested',
    ends: { a: done, next: 'Cancelled/CancelRequested', tidy: done },
  },
  {
    name: 'when its time is up a run still does what belongs to its end',
    steps: three,
    does: { a: long },
    timeoutSeconds: 1,
    run: 'Failed/RunTimeout',
    ends: { a: 'Cancelled/RunTimeout', next: 'Cancelled/RunTimeout', tidy: done },
  },
];
