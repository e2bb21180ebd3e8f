import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retryWait } from '../../lib/engine/retries.ts';
import { begin, graphOf, T0, type FailureSketch } from './scenario.ts';

const evicted: FailureSketch = { failure: 'system', reason: 'Evicted', exitCode: 137, message: 'evicted for memory' };

describe('a failed attempt', () => {
  it('fails the step when there are no retries', () => {
    const run = begin(graphOf({ a: {} })).fail('a', { exitCode: 3 });
    expect(run.run.step('a')).toMatchObject({ phase: 'Failed', reason: 'ExitCode', message: 'exit code 3' });
    expect(run.end).toBe('Failed/StepFailed');
    expect(run.run.state.message).toBe('1 of 1 steps failed: a (exit code 3)');
  });

  it('is followed by another at once when there is no delay', () => {
    const run = begin(graphOf({ a: { retries: { limit: 2 } } }));
    expect(run.fail('a').asked).toEqual(['start a 2']);
    expect(run.fail('a').asked).toEqual(['start a 3']);
    run.fail('a', { exitCode: 9 });
    expect(run.run.step('a')).toMatchObject({ phase: 'Failed', message: 'exit code 9 (3 attempts)' });
    expect(run.run.step('a').attempts).toMatchObject([{ number: 1 }, { number: 2 }, { number: 3, exitCode: 9 }]);
  });

  it('is followed by another after a wait that grows to its cap, counted from the end of the attempt', () => {
    const retries = { limit: 3, delaySeconds: 10, factor: 3, maxDelaySeconds: 60, jitter: 0 };
    const run = begin(graphOf({ a: { retries } }));
    for (const [attempt, wait] of [
      [1, 10],
      [2, 30],
      [3, 60],
    ] as const) {
      const finishedAt = run.now;
      run.now += 4000;
      run.see('a', { kind: 'failed', finishedAt, failure: 'user', reason: 'ExitCode', exitCode: 1 });
      expect(run.run.step('a')).toMatchObject({
        phase: 'Waiting',
        reason: 'Backoff',
        retryAt: finishedAt + wait * 1000,
      });
      expect(run.decision!.wakeAt).toBe(finishedAt + wait * 1000);
      expect(run.after(wait - 5).asked).toEqual([]);
      expect(run.after(1).asked).toEqual([`start a ${attempt + 1}`]);
      expect(run.run.step('a').retryAt).toBeUndefined();
    }
  });

  it('of the platform has a budget of its own', () => {
    const run = begin(graphOf({ a: { retries: { limit: 1 } } }));
    for (const most of [1000, 2000, 4000]) {
      run.fail('a', evicted);
      const wait = run.run.step('a').retryAt! - run.now;
      expect(wait).toBeGreaterThanOrEqual(most / 2);
      expect(wait).toBeLessThanOrEqual(most);
      run.after(4);
    }
    expect(run.fail('a').asked).toEqual(['start a 5']);
    run.fail('a', evicted);
    expect(run.run.step('a')).toMatchObject({
      phase: 'Failed',
      reason: 'Evicted',
      message: 'evicted for memory (5 attempts)',
    });
    expect(run.run.step('a').attempts.map((attempt) => attempt.failure)).toEqual([
      'system',
      'system',
      'system',
      'user',
      'system',
    ]);
  });

  it('of a step on spot nodes goes elsewhere once another failure of the platform would be the last', () => {
    const spot = { value: { spec: { nodeSelector: { pool: 'spot' } } } };
    const run = begin(graphOf({ a: { spot, retries: { limit: 9 } } }));
    const onSpot = () => run.commands.map((command) => command.kind === 'start' && command.pod === spot.value);
    expect(onSpot()).toEqual([true]);
    expect(run.fail('a', evicted).after(60).asked).toEqual(['start a 2']);
    expect(onSpot()).toEqual([true]);
    expect(run.fail('a').asked).toEqual(['start a 3']);
    expect(onSpot()).toEqual([true]);
    expect(run.fail('a', evicted).after(60).asked).toEqual(['start a 4']);
    expect(onSpot()).toEqual([true]);
    expect(run.fail('a', evicted).after(60).asked).toEqual(['start a 5']);
    expect(run.commands[0]).not.toHaveProperty('pod');
    expect(run.fail('a').asked).toEqual(['start a 6']);
    expect(run.commands[0]).not.toHaveProperty('pod');
    expect(run.fail('a', evicted).phase('a')).toBe('Failed/Evicted');
  });

  it('of a step that its run sends to spot nodes is told so, until another failure of the platform would be the last', () => {
    const run = begin(graphOf({ a: { runSpot: true, retries: { limit: 9 } } }));
    const onSpot = () => run.commands.map((command) => command.kind === 'start' && command.spot === true);
    for (let failures = 0; failures < 3; failures++) {
      expect(onSpot()).toEqual([true]);
      run.fail('a', evicted).after(60);
    }
    expect(onSpot()).toEqual([false]);
    expect(begin(graphOf({ a: { runSpot: false } })).commands[0]).not.toHaveProperty('spot');
  });

  it('of a step on spot nodes has what values make of its pod wherever it goes', () => {
    const size = { input: 'size' };
    const pod = { fields: { spec: { fields: { schedulerName: size } } } };
    const spot = { fields: { spec: { fields: { schedulerName: size, nodeSelector: { value: { pool: 'spot' } } } } } };
    const run = begin(graphOf({ a: { pod, spot } }), { inputs: { size: 'large' } });
    const given = () => run.commands.map((command) => command.kind === 'start' && command.pod);
    expect(given()).toEqual([{ spec: { schedulerName: 'large', nodeSelector: { pool: 'spot' } } }]);
    for (let failures = 0; failures < 3; failures++) run.fail('a', evicted).after(60);
    expect(given()).toEqual([{ spec: { schedulerName: 'large' } }]);
  });

  it('that is permanent is the last', () => {
    const run = begin(graphOf({ a: { retries: { limit: 5 } } }));
    run.fail('a', { failure: 'permanent', reason: 'InvalidImage', message: 'no such image' });
    expect(run.run.step('a')).toMatchObject({ phase: 'Failed', reason: 'InvalidImage', message: 'no such image' });
  });

  it('counts retries of 0 as none', () => {
    expect(
      begin(graphOf({ a: { retries: { limit: 0, delaySeconds: 5 } } }))
        .fail('a')
        .phase('a'),
    ).toBe('Failed/ExitCode');
  });

  it('does not fail the run when the step may fail', () => {
    const run = begin(graphOf({ a: { continueOnFailure: true }, b: { after: ['a'] } })).fail('a');
    expect(run.asked).toEqual(['start b 1']);
    run.succeed('b');
    expect(run.end).toBe('Succeeded/Completed');
    expect(run.run.counts()).toMatchObject({ failed: 1, succeeded: 1 });
  });

  it('takes its place among the waiting by the time of its retry', () => {
    const run = begin(graphOf({ a: { retries: { limit: 1 } }, b: {}, c: {} }), { parallelism: 1 });
    run.now += 1000;
    expect(run.fail('a').asked).toEqual(['start b 1']);
    expect(run.run.step('a')).toMatchObject({ phase: 'Waiting', reason: 'ParallelismLimit' });
    expect(run.succeed('b').asked).toEqual(['start c 1']);
    expect(run.succeed('c').asked).toEqual(['start a 2']);
  });
});

describe('the wait before a retry', () => {
  const policy = fc.record({
    limit: fc.nat(10),
    delaySeconds: fc.double({ min: 0, max: 1e6, noNaN: true }),
    factor: fc.double({ min: 1, max: 100, noNaN: true }),
    maxDelaySeconds: fc.double({ min: 0, max: 1e6, noNaN: true }),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  it('is a whole number from 0 to its cap, less only by jitter', () => {
    fc.assert(
      fc.property(policy, fc.integer({ min: 1, max: 1000 }), chance, (policy, number, chance) => {
        const wait = retryWait(policy, number, chance);
        const full = retryWait({ ...policy, jitter: 0 }, number, chance);
        expect(Number.isInteger(wait)).toBe(true);
        expect(full).toBeLessThanOrEqual(Math.round(policy.maxDelaySeconds * 1000));
        expect(wait).toBeLessThanOrEqual(full);
        expect(wait).toBeGreaterThanOrEqual(Math.floor(full * (1 - policy.jitter)) - 1);
      }),
    );
  });

  it('has the documented defaults: no delay, doubling, an hour at most, a tenth of jitter', () => {
    expect(retryWait({ limit: 9 }, 9, 0.5)).toBe(0);
    expect(retryWait({ limit: 9, delaySeconds: 10 }, 3, 0)).toBe(40_000);
    expect(retryWait({ limit: 99, delaySeconds: 10 }, 90, 0)).toBe(3_600_000);
    expect(retryWait({ limit: 9, delaySeconds: 10 }, 1, 0.999)).toBe(9001);
  });
});

describe('the timeout of an attempt', () => {
  const graph = graphOf({ a: { attemptTimeoutSeconds: 30, retries: { limit: 1 } } });

  it('counts from the start of the container', () => {
    const run = begin(graph).pending('a').after(1000);
    expect(run.asked).toEqual([]);
    expect(run.runs('a').decision!.wakeAt).toBe(run.now + 30_000);
  });

  it('stops it, waits for its end, and is a failure of the task', () => {
    const run = begin(graph).runs('a').after(30);
    expect(run.asked).toEqual(['stop a 1 AttemptTimeout']);
    expect(run.run.step('a')).toMatchObject({
      phase: 'Running',
      reason: 'Stopping',
      attempts: [{ phase: 'Running', stopping: 'AttemptTimeout' }],
    });
    expect(run.after(5).asked).toEqual([]);
    expect(run.fail('a', { failure: 'system', reason: 'PodDeleted', exitCode: 143 }).asked).toEqual(['start a 2']);
    expect(run.run.step('a').attempts[0]).toMatchObject({
      phase: 'Failed',
      reason: 'AttemptTimeout',
      failure: 'user',
      message: 'no end in 30 s (attempt timeout)',
      exitCode: 143,
    });
    run.runs('a').after(30).fail('a');
    expect(run.run.step('a')).toMatchObject({ phase: 'Failed', reason: 'AttemptTimeout' });
  });

  it('does not undo a success that was faster than the stop', () => {
    const run = begin(graph).runs('a').after(30).succeed('a');
    expect(run.end).toBe('Succeeded/Completed');
  });
});

describe('the timeout of an attempt whose container does not start', () => {
  const graph = graphOf({ a: { pendingTimeoutSeconds: 600, attemptTimeoutSeconds: 30, systemRetries: 1 } });
  const unschedulable = 'pod unschedulable: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu';

  it('counts from when it was asked for, and is a failure of the platform that says what it waited for', () => {
    const run = begin(graph);
    expect(run.decision!.wakeAt).toBe(T0 + 600_000);
    run.pending('a', unschedulable).after(600);
    expect(run.asked).toEqual(['stop a 1 PendingTimeout']);
    expect(run.after(600).asked).toEqual([]);
    run.fail('a', { failure: 'system', reason: 'PodDeleted', exitCode: undefined });
    expect(run.run.step('a').attempts[0]).toMatchObject({
      phase: 'Failed',
      reason: 'PendingTimeout',
      failure: 'system',
      message: `its container did not start in 600 s (pending timeout): ${unschedulable}`,
    });
    expect(run.phase('a')).toBe('Waiting/Backoff');
    run.after(60).after(600).fail('a');
    expect(run.run.step('a')).toMatchObject({ phase: 'Failed', reason: 'PendingTimeout' });
    expect(run.run.step('a').message).toBe('its container did not start in 600 s (pending timeout) (2 attempts)');
  });

  it('gives way to the timeout of an attempt once the container runs', () => {
    const run = begin(graph).pending('a').after(599).runs('a');
    expect(run.decision!.wakeAt).toBe(run.now + 30_000);
    expect(run.after(30).asked).toEqual(['stop a 1 AttemptTimeout']);
  });

  it('does not stop an attempt that is seen to run in the same moment', () => {
    const run = begin(graph).pending('a');
    run.now += 700_000;
    run.see('a', { kind: 'running', startedAt: T0 + 590_000 });
    expect(run.asked).toEqual(['stop a 1 AttemptTimeout']);
    expect(run.run.step('a').attempts[0]).toMatchObject({ startedAt: T0 + 590_000, stopping: 'AttemptTimeout' });
  });

  it('does not undo a success that was faster than the stop', () => {
    expect(begin(graph).after(600).succeed('a').end).toBe('Succeeded/Completed');
  });

  it('gives way to the timeout of the step', () => {
    const run = begin(graphOf({ a: { pendingTimeoutSeconds: 50, timeoutSeconds: 60 } }));
    expect(run.after(50).asked).toEqual(['stop a 1 PendingTimeout']);
    expect(run.after(10).fail('a').phase('a')).toBe('Failed/StepTimeout');
  });
});

describe('the timeout of a step', () => {
  it('counts from when it was ready, over all its attempts and waits', () => {
    const run = begin(graphOf({ a: { timeoutSeconds: 60, retries: { limit: 9, delaySeconds: 50, jitter: 0 } } }));
    run.after(20).fail('a');
    expect(run.decision!.wakeAt).toBe(T0 + 60_000);
    run.after(40);
    expect(run.run.step('a')).toMatchObject({
      phase: 'Failed',
      reason: 'StepTimeout',
      message: 'no end in 60 s (step timeout)',
    });
    expect(run.end).toBe('Failed/StepFailed');
  });

  it('counts while the step waits for room', () => {
    const run = begin(graphOf({ a: {}, b: { timeoutSeconds: 60 } }, { failurePolicy: 'RunIndependent' }), {
      parallelism: 1,
    });
    expect(run.after(60).phase('b')).toBe('Failed/StepTimeout');
  });

  it('stops the attempt and is final', () => {
    const run = begin(graphOf({ a: { timeoutSeconds: 60, retries: { limit: 9 } } }));
    expect(run.after(60).asked).toEqual(['stop a 1 StepTimeout']);
    expect(run.fail('a').phase('a')).toBe('Failed/StepTimeout');
  });

  it('takes the place of the timeout of an attempt that is being stopped', () => {
    const run = begin(graphOf({ a: { timeoutSeconds: 60, attemptTimeoutSeconds: 50, retries: { limit: 9 } } })).runs(
      'a',
    );
    expect(run.after(50).asked).toEqual(['stop a 1 AttemptTimeout']);
    expect(run.after(10).asked).toEqual([]);
    expect(run.fail('a').phase('a')).toBe('Failed/StepTimeout');
  });
});
