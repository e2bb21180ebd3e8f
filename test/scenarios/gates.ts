import { gateSketch, type StepSketch } from '../engine/scenario.ts';
import { objectSchema } from '../local/fixtures.ts';
import type { Scenario } from './scenario.ts';

const done = 'Succeeded/Completed';
const failed = 'Failed/StepFailed';
const approval = (more: object = {}): StepSketch => gateSketch({ waitsFor: 'approval' }, more);
const number: StepSketch = gateSketch({ waitsFor: 'input' }, { outputs: objectSchema({ value: 'integer' }) });
const next = { after: ['gate'] };

/** Steps that wait for somebody or for a time. */
export const gates: readonly Scenario[] = [
  {
    name: 'an approval that was given beforehand opens its gate',
    steps: { gate: approval(), next },
    answers: { gate: { approved: true, by: 'ada' } },
    run: done,
    ends: { gate: done, next: done },
  },
  {
    name: 'a gate waits until somebody approves, and says who did',
    steps: { gate: approval(), next },
    graph: { outputs: { by: { step: 'gate', output: 'approvedBy' } } },
    asked: { once: 'gate: WaitingForApproval', answers: { gate: { approved: true, by: 'ada' } } },
    run: done,
    gives: { by: 'ada' },
    ends: { gate: done, next: done },
  },
  {
    name: 'what was denied is not done',
    steps: { gate: approval(), next },
    answers: { gate: { approved: false } },
    run: failed,
    ends: { gate: 'Failed/ApprovalDenied', next: 'Skipped/UpstreamFailed' },
  },
  {
    name: 'a gate that nobody opens in time takes its default',
    steps: { gate: gateSketch({ waitsFor: 'approval', default: 'approve' }, { timeoutSeconds: 0.5 }), next },
    run: done,
    ends: { gate: 'Succeeded/DefaultTaken', next: done },
  },
  {
    name: 'a gate without a default fails when nobody opens it in time',
    steps: { gate: approval({ timeoutSeconds: 0.5 }), next },
    run: failed,
    ends: { gate: 'Failed/GateTimeout', next: 'Skipped/UpstreamFailed' },
  },
  {
    name: 'a value that somebody gives goes to the steps that take it',
    steps: {
      gate: number,
      next: { outputs: objectSchema({ n: 'integer' }), inputs: { n: { step: 'gate', output: 'value' } } },
    },
    graph: { outputs: { n: { step: 'next', output: 'n' } } },
    does: { next: { passes: { n: 'n' } } },
    asked: { once: 'gate: WaitingForInput', answers: { gate: { value: 42 } } },
    run: done,
    gives: { n: 42 },
    ends: { gate: done, next: done },
  },
  {
    name: 'a sleep ends by itself, and a time that is past holds nobody up',
    steps: {
      sleep: gateSketch({ waitsFor: 'sleep', seconds: { value: 0.5 } }),
      past: gateSketch({ waitsFor: 'time', until: { value: '2020-01-01T00:00:00Z' } }),
      next: { after: ['sleep', 'past'] },
    },
    run: done,
    ends: { sleep: done, past: done, next: done },
  },
  {
    name: 'a gate that is told no time fails',
    steps: { gate: gateSketch({ waitsFor: 'time', until: { input: 'at' } }) },
    graph: { inputs: { properties: { at: { type: 'string' } }, required: ['at'] } },
    inputs: { at: 'tomorrow' },
    run: failed,
    ends: { gate: 'Failed/GateError' },
  },
  {
    name: 'a run that is cancelled does not wait at its gate',
    steps: { gate: approval(), next },
    asked: { once: 'gate: WaitingForApproval', cancel: 'Now' },
    run: 'Cancelled/CancelRequested',
    ends: { gate: 'Cancelled/CancelRequested', next: 'Cancelled/CancelRequested' },
  },
];
