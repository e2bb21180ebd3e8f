import { describe, expect, it } from 'vitest';
import { decodeRecord, encodeRecord } from '../../lib/engine/codec.ts';
import type { StepRecord } from '../../lib/engine/record.ts';
import { Run } from '../../lib/engine/run.ts';
import type { Gate } from '../../lib/graph/graph.ts';
import { begin, gateSketch, graphOf, T0, type Scenario, type StepSketch } from './scenario.ts';

const approval = (more: StepSketch = {}, gate: Partial<Gate> = {}) =>
  gateSketch({ waitsFor: 'approval', ...gate } as Gate, more);
const input = (more: StepSketch = {}, gate: Partial<Gate> = {}) =>
  gateSketch({ waitsFor: 'input', ...gate } as Gate, {
    outputs: { properties: { value: { type: 'integer' } }, required: ['value'] },
    ...more,
  });
const sleep = (seconds: number, more: StepSketch = {}, gate: Partial<Gate> = {}) =>
  gateSketch({ waitsFor: 'sleep', seconds: { value: seconds }, ...gate } as Gate, more);
const until = (time: string, more: StepSketch = {}) => gateSketch({ waitsFor: 'time', until: { value: time } }, more);

const jane = { approved: true, by: 'jane', at: T0 + 1000 };

/** The run again, as who finds its record would have it. */
function rebuilt(scenario: Scenario): Run {
  const decoded = decodeRecord(encodeRecord(scenario.run.record()));
  if ('problems' in decoded) throw new Error(JSON.stringify(decoded.problems));
  return new Run(scenario.topology, scenario.spec, decoded.record);
}

describe('an approval', () => {
  it('is waited for, and opens what comes after it', () => {
    const run = begin(graphOf({ gate: approval(), deploy: { after: ['gate'] } }));
    expect(run.phase('gate')).toBe('Waiting/WaitingForApproval');
    expect([run.asked, run.decision?.wakeAt]).toEqual([[], undefined]);
    run.ask({ answers: { gate: { ...jane, comment: 'looks good' } } });
    expect(run.run.step('gate')).toMatchObject({
      phase: 'Succeeded',
      reason: 'Completed',
      message: 'approved by jane: looks good',
      outputs: { approvedBy: 'jane', approvedAt: '2025-01-01T00:00:01.000Z' },
      attempts: [],
    });
    expect(run.asked).toEqual(['start deploy 1']);
  });

  it('fails the step when it is denied', () => {
    const run = begin(graphOf({ gate: approval(), deploy: { after: ['gate'] } }));
    run.ask({ answers: { gate: { approved: false, by: 'jane', comment: 'not on a Friday' } } });
    expect(run.phases()).toEqual({ gate: 'Failed/ApprovalDenied', deploy: 'Skipped/UpstreamFailed' });
    expect(run.run.state.message).toBe('1 of 2 steps failed: gate (ApprovalDenied: denied by jane: not on a Friday)');
  });

  it('says when it was heard of, and that nobody is named, where the answer does not tell', () => {
    const run = begin(graphOf({ gate: approval() })).ask({ answers: { gate: { approved: true } } });
    expect(run.run.step('gate')).toMatchObject({
      message: 'approved',
      outputs: { approvedBy: 'unknown', approvedAt: '2025-01-01T00:00:00.000Z' },
    });
  });

  it('that is given before the step waits is used when it gets there', () => {
    const run = begin(graphOf({ build: {}, gate: approval({ after: ['build'] }) }), { answers: { gate: jane } });
    expect(run.phase('gate')).toBe('Pending/WaitingForUpstreams');
    expect(run.succeed('build').end).toBe('Succeeded/Completed');
    expect(run.run.step('gate').outputs).toMatchObject({ approvedBy: 'jane' });
  });

  it('holds, whatever is said later', () => {
    const run = begin(graphOf({ gate: approval(), slow: {} })).ask({ answers: { gate: jane } });
    const { outputs } = run.run.step('gate');
    run.ask({ answers: { gate: { approved: false } } }).ask({ answers: {} });
    expect(run.run.step('gate')).toMatchObject({ phase: 'Succeeded', outputs });
  });

  it('takes no room from steps that run, and none is needed for it', () => {
    const run = begin(graphOf({ a: {}, gate: approval(), b: {} }), { parallelism: 1 });
    expect(run.asked).toEqual(['start a 1']);
    expect(run.phases()).toMatchObject({ gate: 'Waiting/WaitingForApproval', b: 'Waiting/ParallelismLimit' });
    expect(run.run.counts().active).toBe(1);
    expect(run.succeed('a').asked).toEqual(['start b 1']);
  });

  it('may be given while the run is suspended; what comes after it starts when the run goes on', () => {
    const run = begin(graphOf({ gate: approval(), deploy: { after: ['gate'] } }), { suspended: true });
    expect(run.phase('gate')).toBe('Waiting/WaitingForApproval');
    run.ask({ answers: { gate: jane } });
    expect([run.phase('gate'), run.phase('deploy'), run.asked]).toEqual([
      'Succeeded/Completed',
      'Waiting/Suspended',
      [],
    ]);
    expect(run.ask({ suspended: false }).asked).toEqual(['start deploy 1']);
  });

  it('is waited for no more when the run is cancelled, its time is up, or another step failed', () => {
    const graph = graphOf({ gate: approval(), a: {} });
    expect(begin(graph).ask({ cancel: 'Now' }).phase('gate')).toBe('Cancelled/CancelRequested');
    expect(begin(graph, { timeoutSeconds: 60 }).after(60).phase('gate')).toBe('Cancelled/RunTimeout');
    expect(begin(graph).fail('a').phase('gate')).toBe('Skipped/RunFailing');
    const independent = graphOf({ gate: approval(), a: {} }, { failurePolicy: 'RunIndependent' });
    expect(begin(independent).fail('a').phase('gate')).toBe('Waiting/WaitingForApproval');
  });
});

describe('an input', () => {
  it('is waited for, and its value goes to the steps that take it', () => {
    const order = { inputs: { amount: { step: 'amount', output: 'value' } } };
    const run = begin(graphOf({ amount: input(), order }));
    expect(run.phase('amount')).toBe('Waiting/WaitingForInput');
    run.ask({ answers: { amount: { value: 3, by: 'jane' } } });
    expect(run.run.step('amount')).toMatchObject({ message: 'given by jane', outputs: { value: 3 } });
    expect(run.commands).toMatchObject([{ step: 'order', inputs: { amount: 3 } }]);
  });
});

describe('a wait for a time', () => {
  it('ends by itself, to the second, also after a crash', () => {
    const run = begin(graphOf({ rest: sleep(90), next: { after: ['rest'] } }));
    expect(run.phase('rest')).toBe('Waiting/Sleeping');
    expect(run.decision?.wakeAt).toBe(T0 + 90_000);
    expect(run.after(89).phase('rest')).toBe('Waiting/Sleeping');
    run.run = rebuilt(run);
    expect(run.tell().decision?.wakeAt).toBe(T0 + 90_000);
    expect(run.after(1).asked).toEqual(['start next 1']);
    expect(run.run.step('rest')).toMatchObject({ phase: 'Succeeded', finishedAt: T0 + 90_000 });
  });

  it('goes on while the run is suspended', () => {
    const run = begin(graphOf({ rest: sleep(90) }), { suspended: true });
    expect(run.after(90).phase('rest')).toBe('Succeeded/Completed');
  });

  it.each([
    ['0 seconds', sleep(0)],
    ['a time that has passed', until('2024-12-31T00:00:00Z')],
    ['a time of another zone that has passed', until('2025-01-01T01:00:00+01:00')],
  ])('of %s is over at once', (_, gate) => {
    expect(begin(graphOf({ gate })).end).toBe('Succeeded/Completed');
  });

  it('takes its seconds or its time from other steps', () => {
    const gate = (wait: Gate) => graphOf({ plan: { outputs: planned }, gate: gateSketch(wait) });
    const planned = { properties: { pause: { type: 'number' }, at: { type: 'string' } }, required: [] };
    const pause = gate({ waitsFor: 'sleep', seconds: { step: 'plan', output: 'pause' } });
    const at = gate({ waitsFor: 'time', until: { step: 'plan', output: 'at' } });
    expect(begin(pause).succeed('plan', { pause: 1.5 }).decision?.wakeAt).toBe(T0 + 1500);
    expect(begin(at).succeed('plan', { at: '2025-01-02T00:00:00Z' }).decision?.wakeAt).toBe(T0 + 86_400_000);
    const never = begin(pause).succeed('plan', { pause: 1e300 });
    expect(never.decision?.wakeAt).toBe(8.64e15);
    expect(rebuilt(never).step('gate')).toEqual(never.run.step('gate'));
  });

  it.each<[string, Gate, object, string]>([
    [
      'no number',
      { waitsFor: 'sleep', seconds: { step: 'plan', output: 'pause' } },
      { pause: -1 },
      'cannot sleep -1: it is no number of seconds from 0',
    ],
    [
      'no time',
      { waitsFor: 'time', until: { step: 'plan', output: 'at' } },
      { at: 'tomorrow' },
      'cannot wait until "tomorrow": it is no time; write it as 2026-01-31T18:00:00Z, with its zone',
    ],
    [
      'nothing',
      { waitsFor: 'time', until: { step: 'plan', output: 'at' } },
      {},
      'cannot wait until undefined: it is no time; write it as 2026-01-31T18:00:00Z, with its zone',
    ],
  ])('fails when it is given %s', (_, wait, outputs, message) => {
    const planned = { properties: { pause: {}, at: {} }, required: [] };
    const run = begin(graphOf({ plan: { outputs: planned }, gate: gateSketch(wait) })).succeed(
      'plan',
      outputs as never,
    );
    expect(run.run.step('gate')).toMatchObject({ phase: 'Failed', reason: 'GateError', message });
  });
});

describe('the timeout of a gate', () => {
  const timeoutSeconds = 60;
  it.each<[string, StepSketch, string, string | undefined, object | undefined]>([
    ['an approval', approval({ timeoutSeconds }), 'Failed/GateTimeout', 'no answer in 60 s', undefined],
    [
      'an approval that is denied by default',
      approval({ timeoutSeconds }, { default: 'deny' }),
      'Failed/ApprovalDenied',
      'denied by default: no answer in 60 s',
      undefined,
    ],
    [
      'an approval that is given by default',
      approval({ timeoutSeconds }, { default: 'approve' }),
      'Succeeded/DefaultTaken',
      'approved by default: no answer in 60 s',
      { approvedBy: 'default', approvedAt: '2025-01-01T00:01:00.000Z' },
    ],
    ['an input', input({ timeoutSeconds }), 'Failed/GateTimeout', 'no answer in 60 s', undefined],
    [
      'an input with a default',
      input({ timeoutSeconds }, { default: 0 }),
      'Succeeded/DefaultTaken',
      'given by default: no answer in 60 s',
      { value: 0 },
    ],
    ['a sleep', sleep(90, { timeoutSeconds }), 'Failed/GateTimeout', 'its time did not come in 60 s', undefined],
    [
      'a sleep that goes on',
      sleep(90, { timeoutSeconds }, { default: 'continue' }),
      'Succeeded/DefaultTaken',
      'went on by default: its time did not come in 60 s',
      undefined,
    ],
    ['a sleep that is over by then', sleep(60, { timeoutSeconds }), 'Succeeded/Completed', undefined, undefined],
  ])('ends %s', (_, gate, end, message, outputs) => {
    const run = begin(graphOf({ gate, slow: {} }));
    expect(run.decision?.wakeAt).toBe(T0 + 60_000);
    run.after(59);
    expect(run.run.step('gate').phase).toBe('Waiting');
    run.after(1);
    expect(run.phase('gate')).toBe(end);
    expect([run.run.step('gate').message, run.run.step('gate').outputs]).toEqual([message, outputs]);
  });

  it('gives way to an answer that is there when it is over', () => {
    const run = begin(graphOf({ gate: approval({ timeoutSeconds }) }));
    run.now += 120_000;
    expect(run.ask({ answers: { gate: jane } }).phase('gate')).toBe('Succeeded/Completed');
  });
});

describe('what a gate says', () => {
  it.each<[StepSketch, string]>([
    [approval(), 'waits for approval'],
    [approval({}, { message: { value: 'Release 7?' } }), 'waits for approval (Release 7?)'],
    [approval({ timeoutSeconds: 60 }), 'waits for approval; fails in 50 s without'],
    [approval({ timeoutSeconds: 60 }, { default: 'deny' }), 'waits for approval; "deny" by default in 50 s'],
    [input({ timeoutSeconds: 60 }, { default: 4 }), 'waits for an input; 4 by default in 50 s'],
    [sleep(90), 'sleeps for another 1 min 20 s'],
    [until('2025-01-01T01:00:00Z'), 'waits until 2025-01-01T01:00:00.000Z, for another 59 min 50 s'],
  ])('is a sentence', (gate, sentence) => {
    const run = begin(graphOf({ gate }));
    expect(run.run.explain('gate', T0 + 10_000)).toBe(sentence);
  });
});

describe('a record that somebody edited', () => {
  const opened: StepRecord = { phase: 'Waiting', reason: 'Sleeping', attempts: [], readyAt: T0, until: T0 + 90_000 };
  const attempt = { number: 1, phase: 'Running', reason: 'Created', createdAt: T0 } as const;
  it.each<[string, StepRecord]>([
    ['lacks the time', { ...opened, until: undefined }],
    ['has an attempt that runs', { ...opened, phase: 'Running', reason: 'Created', attempts: [attempt] }],
    ['waits for room', { ...opened, reason: 'ParallelismLimit' }],
  ])('and that %s does not keep a gate waiting for ever', (_, record) => {
    const run = begin(graphOf({ gate: sleep(90) }));
    const steps = new Map([['gate', record]]);
    run.run = new Run(run.topology, run.spec, { run: run.run.state, steps });
    expect(run.tell().asked).toEqual([]);
    expect(run.after(90).end).toBe('Succeeded/Completed');
  });

  it('makes no attempt of a pod that claims to be a gate', () => {
    const run = begin(graphOf({ gate: approval() }));
    run.see('gate', { kind: 'succeeded', finishedAt: T0 });
    expect([run.phase('gate'), run.asked]).toEqual(['Waiting/WaitingForApproval', []]);
  });
});
