import { describe, expect, it } from 'vitest';
import type { AttemptState, Observation } from '../../lib/engine/advance.ts';
import { Run } from '../../lib/engine/run.ts';
import { begin, graphOf, Scenario, T0 } from './scenario.ts';

const seen = (step: string, attempt: number, state: AttemptState): Observation => ({ step, attempt, state });
const running: AttemptState = { kind: 'running', startedAt: T0 };
const succeeded: AttemptState = { kind: 'succeeded', finishedAt: T0 };
const failed: AttemptState = { kind: 'failed', finishedAt: T0, failure: 'user', reason: 'ExitCode', exitCode: 1 };

describe('what is seen of an attempt', () => {
  it('changes nothing when it is seen again, or seen late', () => {
    const run = begin(graphOf({ a: { retries: { limit: 3 } }, b: {} }));
    run.pending('a', 'pulling').pending('a', 'pulling');
    expect(run.decision!.steps.size).toBe(0);
    run.runs('a').pending('a', 'pulling');
    expect(run.decision!.steps.size).toBe(0);
    run.fail('a').tell(seen('a', 1, succeeded), seen('a', 1, running), seen('a', 1, failed));
    expect(run.decision!.steps.size).toBe(0);
    expect(run.run.step('a')).toMatchObject({ phase: 'Running', reason: 'Created' });
    run.succeed('a').tell(seen('a', 2, failed), seen('a', 1, failed));
    expect(run.decision!).toEqual({ steps: new Map(), commands: [] });
  });

  it('says the same in whatever order a batch has it', () => {
    const graph = graphOf({ a: { retries: { limit: 3 } }, b: { after: ['a'] } });
    const batch = [seen('b', 1, running), seen('a', 2, succeeded), seen('a', 1, running), seen('a', 1, failed)];
    const forward = new Scenario(graph).tell(...batch).run.record();
    expect(new Scenario(graph).tell(...batch.toReversed()).run.record()).toEqual(forward);
    expect(forward.steps.get('a')).toMatchObject({
      phase: 'Succeeded',
      attempts: [{ number: 1, phase: 'Failed' }, { number: 2 }],
    });
    expect(forward.steps.get('b')).toMatchObject({ phase: 'Running', reason: 'ContainerRunning' });
  });

  it('says when it stopped being stopped: a container that starts late changes no reason', () => {
    const run = begin(graphOf({ a: { timeoutSeconds: 5 } }))
      .after(5)
      .runs('a');
    expect(run.phase('a')).toBe('Running/Stopping');
    expect(run.run.step('a').attempts[0]).toMatchObject({ startedAt: T0 + 5000, stopping: 'StepTimeout' });
  });
});

describe('an attempt that the record does not have', () => {
  it('is taken for started when its step is ready, even beyond the limit and while the run is suspended', () => {
    const run = new Scenario(graphOf({ a: {}, b: {}, c: {} }), { parallelism: 1, suspended: true });
    run.tell(seen('b', 1, running), seen('c', 1, running));
    expect(run.phases()).toEqual({
      a: 'Waiting/Suspended',
      b: 'Running/ContainerRunning',
      c: 'Running/ContainerRunning',
    });
    expect(run.ask({ suspended: false }).asked).toEqual([]);
    expect(run.succeed('b').succeed('c').asked).toEqual(['start a 1']);
  });

  it('is remembered until its step is ready', () => {
    const run = begin(graphOf({ a: {}, b: { after: ['a'] }, c: { after: ['b'] } }));
    run.tell(seen('b', 1, succeeded)).tell(seen('b', 1, running), seen('c', 1, running));
    expect(run.phase('b')).toBe('Pending/WaitingForUpstreams');
    expect(run.succeed('a').asked).toEqual([]);
    expect(run.phases()).toEqual({ a: 'Succeeded/Completed', b: 'Succeeded/Completed', c: 'Running/ContainerRunning' });
  });

  it('waits for the end of the one before it', () => {
    const run = begin(graphOf({ a: { retries: { limit: 1, delaySeconds: 100 } } })).tell(seen('a', 2, running));
    expect(run.run.step('a').attempts).toHaveLength(1);
    expect(run.asked).toEqual(['stop a 1 Superseded']);
    expect(run.tell(seen('a', 1, failed)).asked).toEqual([]);
    expect(run.run.step('a')).toMatchObject({
      phase: 'Running',
      attempts: [{ phase: 'Failed' }, { number: 2, phase: 'Running' }],
    });
  });

  it('keeps its number when those before it are gone', () => {
    const run = new Scenario(graphOf({ a: { retries: { limit: 1 } } })).tell(seen('a', 3, running));
    expect(run.tell(seen('a', 1, succeeded)).decision!.steps.size).toBe(0);
    expect(run.tell(seen('a', 3, failed)).asked).toEqual(['start a 4']);
  });

  it('is stopped when its step has ended without it', () => {
    const graph = graphOf({ a: {}, b: { after: ['a'] } });
    const run = begin(graph).tell(seen('b', 1, running));
    expect(run.fail('a').asked).toEqual(['stop b 1 UpstreamFailed']);
    const cancelled = begin(graph)
      .tell(seen('b', 1, running))
      .ask({ cancel: 'Now' });
    expect(cancelled.asked).toEqual(['stop a 1 CancelRequested', 'stop b 1 CancelRequested']);
    expect(cancelled.fail('a').end).toBe('Cancelled/CancelRequested');
    expect(cancelled.tell(seen('b', 1, running)).asked).toEqual([]);
    expect(cancelled.tell(seen('b', 1, succeeded)).asked).toEqual([]);
  });

  it('keeps its step from being skipped by hand', () => {
    const run = begin(graphOf({ a: {}, b: { after: ['a'] } })).tell(seen('b', 1, running));
    expect(run.ask({ skips: { b: '' } }).asked).toEqual([]);
    expect(run.succeed('a').succeed('b').end).toBe('Succeeded/Completed');
  });

  it('runs to its end although the run has failed since', () => {
    const run = new Scenario(graphOf({ a: {}, b: {}, c: { after: ['b'] } }));
    run.tell(seen('a', 1, failed), seen('b', 1, succeeded), seen('c', 1, running));
    expect(run.phases()).toEqual({ a: 'Failed/ExitCode', b: 'Succeeded/Completed', c: 'Running/ContainerRunning' });
    expect(run.succeed('c').end).toBe('Failed/StepFailed');
  });
});

describe('an attempt that lives although it should not', () => {
  const pending: AttemptState = { kind: 'pending' };
  const retried = () =>
    begin(graphOf({ a: { retries: { limit: 2 } }, b: { after: ['a'] } }))
      .fail('a')
      .runs('a');

  it('is stopped, once, when the record has its end', () => {
    const run = retried();
    expect(run.tell(seen('a', 1, pending)).asked).toEqual(['stop a 1 Superseded']);
    expect(run.tell(seen('a', 1, running)).asked).toEqual([]);
    expect(run.tell(seen('a', 1, failed)).asked).toEqual([]);
    expect(run.phases()).toEqual({ a: 'Running/ContainerRunning', b: 'Pending/WaitingForUpstreams' });
    expect(run.run.step('a').attempts).toMatchObject([{ phase: 'Failed' }, { number: 2, phase: 'Running' }]);
  });

  it('is stopped again when it lives after its end was seen', () => {
    const run = retried()
      .tell(seen('a', 1, pending))
      .tell(seen('a', 1, failed));
    expect(run.tell(seen('a', 1, pending)).asked).toEqual(['stop a 1 Superseded']);
  });

  it('is stopped by whoever goes on from the record, also when the run has finished', () => {
    const run = begin(graphOf({ a: {} })).succeed('a');
    run.run = new Run(run.topology, run.spec, run.run.record());
    expect(run.tell(seen('a', 2, running)).asked).toEqual(['stop a 2 Completed']);
    expect(run.decision).toEqual({ steps: new Map(), commands: run.commands });
  });

  it('is stopped when its number is beyond all that the step can have come to', () => {
    const run = begin(graphOf({ a: { retries: { limit: 2 }, systemRetries: 1 } }));
    expect(run.tell(seen('a', 6, running)).asked).toEqual(['stop a 6 Superseded']);
    expect(run.fail('a').asked).toEqual(['start a 2']);
  });

  it('gives way to one that was begun after it', () => {
    const run = begin(graphOf({ a: { retries: { limit: 2 } } })).runs('a');
    expect(run.tell(seen('a', 2, running)).asked).toEqual(['stop a 1 Superseded']);
    expect(run.tell(seen('a', 3, running), seen('a', 1, running)).asked).toEqual([]);
    const deleted = { ...failed, failure: 'system', reason: 'PodDeleted' } as const;
    expect(run.tell(seen('a', 1, deleted)).asked).toEqual(['stop a 2 Superseded']);
    expect(run.tell(seen('a', 2, deleted)).asked).toEqual([]);
    expect(run.run.step('a').attempts.at(-1)).toMatchObject({ number: 3, phase: 'Running' });
    expect(run.succeed('a').end).toBe('Succeeded/Completed');
  });

  it('is left to the stop that is under way', () => {
    const run = begin(graphOf({ a: { timeoutSeconds: 5, retries: { limit: 2 } } })).after(5);
    expect(run.tell(seen('a', 2, running)).asked).toEqual([]);
  });
});

it('an attempt that began before its step was known to be ready makes the step as old as itself', () => {
  const run = new Scenario(graphOf({ a: { timeoutSeconds: 60 } }));
  run.now += 50_000;
  run.tell(seen('a', 1, running));
  expect(run.run.step('a')).toMatchObject({ readyAt: T0, attempts: [{ createdAt: T0, startedAt: T0 }] });
  expect(run.decision!.wakeAt).toBe(T0 + 60_000);
});

describe('a clock that is wrong', () => {
  it('of the node puts no attempt before it was asked for, nor into the future', () => {
    const run = begin(graphOf({ a: { retries: { limit: 1, delaySeconds: 10, jitter: 0 } } }));
    run.now += 5000;
    run.tell(seen('a', 1, { kind: 'running', startedAt: T0 - 3_600_000 }));
    run.tell(seen('a', 1, { ...failed, finishedAt: T0 + 3_600_000 }));
    expect(run.run.step('a')).toMatchObject({
      retryAt: run.now + 10_000,
      attempts: [{ startedAt: T0, finishedAt: run.now }],
    });
  });

  it('of the node puts no end before its start', () => {
    const run = begin(graphOf({ a: {} }));
    run.now += 5000;
    run.tell(seen('a', 1, { kind: 'succeeded', startedAt: T0 + 3000, finishedAt: T0 - 9000 }));
    expect(run.run.step('a').attempts).toMatchObject([{ startedAt: T0 + 3000, finishedAt: T0 + 3000 }]);
  });

  it('of ours may jump back', () => {
    const run = begin(graphOf({ a: {}, b: { after: ['a'] }, c: { after: ['a'], timeoutSeconds: 1 } }), {
      parallelism: 1,
    });
    run.now -= 3_600_000;
    run.succeed('a').succeed('b');
    for (const step of ['a', 'b'] as const) {
      const { readyAt, finishedAt, attempts } = run.run.step(step);
      expect(finishedAt).toBeGreaterThanOrEqual(readyAt!);
      expect(attempts[0]!.finishedAt).toBeGreaterThanOrEqual(attempts[0]!.createdAt);
    }
    run.succeed('c');
    expect(run.end).toBe('Succeeded/Completed');
    expect(run.run.state.finishedAt).toBe(T0);
  });
});
