import { describe, expect, it } from 'vitest';
import { begin, graphOf, T0 } from './scenario.ts';

const steps = {
  runs: {},
  fails: {},
  retries: { retries: { limit: 3, delaySeconds: 100, jitter: 0 } },
  queued: {},
  next: { after: ['runs'] },
  below: { after: ['fails'] },
  deeper: { after: ['below'] },
};

/** `runs` and `fails` run, `retries` waits for its second attempt, `queued` for room. */
function underway(failurePolicy: 'CancelRunning' | 'FinishRunning' | 'RunIndependent' = 'FinishRunning') {
  const run = begin(graphOf(steps, { failurePolicy }), { parallelism: 3 });
  run.ask({ parallelism: 2 }).fail('retries');
  expect(run.phases()).toMatchObject({ retries: 'Waiting/Backoff', queued: 'Waiting/ParallelismLimit' });
  return run;
}

describe('a failed step', () => {
  it('lets those that run end, and starts nothing new (FinishRunning)', () => {
    const run = underway().fail('fails');
    expect(run.asked).toEqual([]);
    expect(run.phases()).toEqual({
      runs: 'Running/Created',
      fails: 'Failed/ExitCode',
      retries: 'Failed/ExitCode',
      queued: 'Skipped/RunFailing',
      next: 'Pending/WaitingForUpstreams',
      below: 'Skipped/UpstreamFailed',
      deeper: 'Skipped/UpstreamSkipped',
    });
    expect(run.run.state).toMatchObject({ phase: 'Running', reason: 'StepFailed' });
    expect(run.run.step('retries').message).toBe('exit code 1; not retried since another step failed');
    expect(run.run.explain('next', run.now)).toBe(
      '0 of 1 upstreams done; waiting for runs; it will not start since the run is ending (StepFailed)',
    );
    run.succeed('runs');
    expect(run.phase('next')).toBe('Skipped/RunFailing');
    expect(run.end).toBe('Failed/StepFailed');
    expect(run.run.state.message).toBe(
      '2 of 7 steps failed: fails (exit code 1), retries (exit code 1; not retried since another step failed)',
    );
  });

  it('keeps those that run from another attempt (FinishRunning)', () => {
    const run = begin(graphOf({ a: {}, b: { retries: { limit: 3 } } }))
      .fail('a')
      .fail('b', { failure: 'system', reason: 'NodeLost' });
    expect(run.phases()).toEqual({ a: 'Failed/ExitCode', b: 'Failed/NodeLost' });
  });

  it('keeps what comes after a step that may fail from starting, too (FinishRunning)', () => {
    const lenient = { continueOnFailure: true, retries: { limit: 1, delaySeconds: 10 } };
    const after = { after: ['lenient'] };
    const run = begin(graphOf({ a: {}, lenient, b: after, c: { ...after, when: { cel: 'false', steps: [] } } }))
      .fail('lenient')
      .fail('a');
    expect(run.phases()).toMatchObject({
      lenient: 'Failed/ExitCode',
      b: 'Skipped/RunFailing',
      c: 'Skipped/RunFailing',
    });
    expect(run.run.step('lenient').retryAt).toBeUndefined();
    expect(run.end).toBe('Failed/StepFailed');
  });

  it('stops those that run (CancelRunning)', () => {
    const run = underway('CancelRunning').fail('fails');
    expect(run.asked).toEqual(['stop runs 1 FailurePolicy']);
    expect(run.phases()).toMatchObject({
      runs: 'Running/Stopping',
      retries: 'Cancelled/FailurePolicy',
      queued: 'Skipped/RunFailing',
    });
    run.fail('runs', { failure: 'system', reason: 'PodDeleted' });
    expect(run.phases()).toMatchObject({ runs: 'Cancelled/FailurePolicy', next: 'Cancelled/UpstreamCancelled' });
    expect(run.end).toBe('Failed/StepFailed');
    expect(run.run.counts()).toEqual({ active: 0, succeeded: 0, failed: 1, skipped: 3, cancelled: 3, total: 7 });
  });

  it('leaves those alone that do not depend on it (RunIndependent)', () => {
    const run = underway('RunIndependent').fail('fails');
    expect(run.asked).toEqual(['start queued 1']);
    run.succeed('runs').succeed('queued').succeed('next').after(100).succeed('retries');
    expect(run.phases()).toMatchObject({
      retries: 'Succeeded/Completed',
      next: 'Succeeded/Completed',
      deeper: 'Skipped/UpstreamSkipped',
    });
    expect(run.end).toBe('Failed/StepFailed');
  });
});

describe('a cancelled run', () => {
  it.each(['Now', 'RunFinally'] as const)('stops what runs and does not start the rest (%s)', (cancel) => {
    const run = underway().ask({ cancel });
    expect(run.asked).toEqual(['stop runs 1 CancelRequested', 'stop fails 1 CancelRequested']);
    expect(run.phases()).toMatchObject({
      retries: 'Cancelled/CancelRequested',
      queued: 'Cancelled/CancelRequested',
      deeper: 'Cancelled/CancelRequested',
    });
    expect(run.run.state).toMatchObject({ phase: 'Running', reason: 'CancelRequested', cancel });
    expect(run.ask({ cancel }).asked).toEqual([]);
    expect(run.decision!.steps.size).toBe(0);
    run.fail('runs').succeed('fails');
    expect(run.phases()).toMatchObject({ runs: 'Cancelled/CancelRequested', fails: 'Succeeded/Completed' });
    expect(run.end).toBe('Cancelled/CancelRequested');
  });

  it('lets what runs come to its end, with no other attempt (Drain)', () => {
    const run = underway().ask({ cancel: 'Drain' });
    expect(run.asked).toEqual([]);
    expect(run.phases()).toMatchObject({
      runs: 'Running/Created',
      retries: 'Cancelled/CancelRequested',
      next: 'Cancelled/CancelRequested',
    });
    run.succeed('runs').fail('fails');
    expect(run.phase('next')).toBe('Cancelled/CancelRequested');
    expect(run.end).toBe('Cancelled/CancelRequested');
    expect(run.run.state.message).toBe('cancelled on request (Drain); 1 of 7 steps failed: fails (exit code 1)');
  });

  it('cannot be taken back, nor made slower; it can be made faster', () => {
    const run = underway().ask({ cancel: 'Drain' }).ask({ cancel: undefined });
    expect(run.run.state).toMatchObject({ reason: 'CancelRequested', cancel: 'Drain' });
    expect(run.ask({ cancel: 'Now' }).asked).toHaveLength(2);
    run.ask({ cancel: 'Drain' });
    expect(run.run.state.cancel).toBe('Now');
  });

  it('has not begun anything when it was cancelled before it began', () => {
    const run = begin(graphOf(steps), { cancel: 'Now' });
    expect(run.asked).toEqual([]);
    expect(run.end).toBe('Cancelled/CancelRequested');
  });

  it('is not cancelled when its last step ended before', () => {
    const run = begin(graphOf({ a: {} }));
    run.spec = { ...run.spec, cancel: 'Now' };
    expect(run.succeed('a').end).toBe('Succeeded/Completed');
  });

  it('is cancelled although a step failed before', () => {
    const run = underway().fail('fails').ask({ cancel: 'Now' });
    expect(run.asked).toEqual(['stop runs 1 CancelRequested']);
    expect(run.fail('runs').end).toBe('Cancelled/CancelRequested');
  });

  it('takes the place of a timeout for which an attempt is being stopped', () => {
    const run = begin(graphOf({ a: { attemptTimeoutSeconds: 5, retries: { limit: 3 } } }))
      .runs('a')
      .after(5)
      .ask({ cancel: 'Now' });
    expect(run.asked).toEqual([]);
    expect(run.fail('a').phase('a')).toBe('Cancelled/CancelRequested');
  });
});

describe("the run's timeout", () => {
  it('stops what runs; the run fails when it has ended', () => {
    const run = underway();
    expect(run.ask({ timeoutSeconds: 50 }).decision!.wakeAt).toBe(T0 + 50_000);
    run.after(50);
    expect(run.asked).toEqual(['stop runs 1 RunTimeout', 'stop fails 1 RunTimeout']);
    expect(run.phases()).toMatchObject({
      queued: 'Cancelled/RunTimeout',
      next: 'Cancelled/RunTimeout',
      retries: 'Cancelled/RunTimeout',
    });
    expect(run.decision!.wakeAt).toBeUndefined();
    run.ask({ timeoutSeconds: 5000, cancel: 'Now' }).fail('runs').fail('fails');
    expect(run.phases()).toMatchObject({ runs: 'Cancelled/RunTimeout' });
    expect(run.end).toBe('Failed/RunTimeout');
    expect(run.run.state.message).toBe('no end in 50 s (run timeout)');
  });

  it('goes on while the run is suspended', () => {
    const run = begin(graphOf({ a: {} }), { timeoutSeconds: 50, suspended: true }).after(50);
    expect(run.phase('a')).toBe('Cancelled/RunTimeout');
    expect(run.end).toBe('Failed/RunTimeout');
  });

  it('ends the patience of a drain, once', () => {
    const run = begin(graphOf({ a: {} }), { timeoutSeconds: 50, cancel: undefined })
      .ask({ cancel: 'Drain' })
      .after(50);
    expect(run.asked).toEqual(['stop a 1 RunTimeout']);
    expect(run.decision!.wakeAt).toBeUndefined();
    expect(run.after(1).decision!.steps.size).toBe(0);
    expect(run.fail('a').phase('a')).toBe('Cancelled/RunTimeout');
    expect(run.end).toBe('Cancelled/CancelRequested');
  });
});

describe('a suspended run', () => {
  it('starts nothing new; what runs goes on, and so do its timeouts', () => {
    const run = begin(graphOf({ a: { attemptTimeoutSeconds: 100 }, b: { after: ['a'] }, c: { after: ['a'] } })).runs(
      'a',
    );
    run.ask({ suspended: true });
    expect(run.run.state.reason).toBe('Started');
    expect(run.after(100).asked).toEqual(['stop a 1 AttemptTimeout']);
    expect(run.succeed('a').asked).toEqual([]);
    expect(run.phases()).toMatchObject({ b: 'Waiting/Suspended', c: 'Waiting/Suspended' });
    expect(run.run.state).toMatchObject({ phase: 'Running', reason: 'Suspended' });
    expect(run.ask({ suspended: false }).asked).toEqual(['start b 1', 'start c 1']);
    expect(run.run.state.reason).toBe('Started');
  });

  it('does not begin to run', () => {
    const run = begin(graphOf({ a: {} }), { suspended: true });
    expect(run.run.state).toMatchObject({ reason: 'Suspended', startedAt: T0 });
    expect(run.phase('a')).toBe('Waiting/Suspended');
  });

  it('holds back retries', () => {
    const run = begin(graphOf({ a: { retries: { limit: 1, delaySeconds: 10, jitter: 0 } } }))
      .ask({ suspended: true })
      .fail('a');
    expect(run.phase('a')).toBe('Waiting/Backoff');
    expect(run.after(10).phase('a')).toBe('Waiting/Suspended');
    expect(run.asked).toEqual([]);
    expect(run.ask({ suspended: false }).asked).toEqual(['start a 2']);
  });

  it('gives those that wait for room their reason back', () => {
    const run = begin(graphOf({ a: {}, b: {} }), { parallelism: 1 }).ask({ suspended: true });
    expect(run.phase('b')).toBe('Waiting/Suspended');
    expect(run.ask({ suspended: false }).phase('b')).toBe('Waiting/ParallelismLimit');
  });

  it('can be cancelled', () => {
    expect(begin(graphOf({ a: {} }), { suspended: true }).ask({ cancel: 'Drain' }).end).toBe(
      'Cancelled/CancelRequested',
    );
  });
});
