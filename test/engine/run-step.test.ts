import { describe, expect, it } from 'vitest';
import { LockTable } from '../../lib/engine/lock-table.ts';
import { Run } from '../../lib/engine/run.ts';
import type { RunStep } from '../../lib/graph/graph.ts';
import { begin, graphOf, rowsOf, rowsSchema, Scenario, type StepSketch } from './scenario.ts';

const child = (more: Partial<RunStep> = {}): StepSketch => ({
  kind: 'run',
  runs: { workflow: 'inner', graph: 'inner-1', version: '1' },
  inputs: { n: { value: 1 } },
  outputs: { ...rowsSchema, required: [] },
  ...more,
});

describe('a step that is a run of its own', () => {
  it('has the attempts of a step that runs a task, and says of them what they are', () => {
    const run = begin(graphOf({ a: child({ retries: { limit: 1 } }) }));
    expect(run.commands).toEqual([{ kind: 'start', step: 'a', attempt: 1, inputs: { n: 1 } }]);
    run.pending('a', 'run run-a-1 has not begun');
    expect(run.phase('a')).toBe('Running/RunPending');
    expect(run.run.explain('a', run.now)).toBe('attempt 1 waits: run run-a-1 has not begun');
    run.runs('a');
    expect(run.phase('a')).toBe('Running/RunRunning');
    run.fail('a', { reason: 'RunFailed', exitCode: undefined, message: 'run run-a-1 failed' });
    expect(run.asked).toEqual(['start a 2']);
    run.succeed('a', { rows: 3 });
    expect(run.end).toBe('Succeeded/Completed');
    expect(run.run.step('a').outputs).toEqual({ rows: 3 });
  });

  it('that cannot be looked at stays as it was and says why, also while it is being stopped, until it is seen again', () => {
    const run = begin(graphOf({ a: child({ attemptTimeoutSeconds: 60 }) }));
    const unseen = (message: string) => run.tell({ step: 'a', attempt: 1, state: { kind: 'unseen', message } });
    unseen('gpu cannot be reached');
    expect(run.run.step('a')).toMatchObject({ phase: 'Running', reason: 'Created', message: 'gpu cannot be reached' });
    run.runs('a');
    expect(run.run.step('a')).toMatchObject({ reason: 'RunRunning', message: undefined });
    unseen('gpu cannot be reached');
    expect(run.run.step('a')).toMatchObject({ reason: 'RunRunning', message: 'gpu cannot be reached' });
    expect(run.run.explain('a', run.now)).toMatch(/^attempt 1 runs for .*; gpu cannot be reached$/);
    run.after(60);
    expect(run.run.step('a')).toMatchObject({
      reason: 'Stopping',
      message: 'its end was asked for (AttemptTimeout); gpu cannot be reached',
    });
    run.runs('a');
    expect(run.run.step('a')).toMatchObject({ message: 'its end was asked for (AttemptTimeout)' });
    run.succeed('a', { rows: 1 });
    unseen('gpu cannot be reached');
    expect(run.decision!).toEqual({ steps: new Map(), commands: [] });
    expect(run.end).toBe('Succeeded/Completed');
  });

  it.each([
    ['cancelled by somebody', 'permanent', 'RunFailed', 1],
    ['over its limit of depth', 'permanent', 'RecursionLimit', 1],
    ['deleted', 'system', 'RunDeleted', 2],
    ['failed', 'user', 'RunFailed', 2],
  ] as const)('that was %s has so many attempts', (_, failure, reason, attempts) => {
    const run = begin(graphOf({ a: child({ retries: { limit: 1 }, systemRetries: 1 }) }));
    for (let attempt = 1; attempt <= attempts; attempt++) {
      run.fail('a', { failure, reason, exitCode: undefined, message: 'why' });
      if (failure === 'system') run.after(5);
    }
    expect(run.phase('a')).toBe(`Failed/${reason}`);
    expect(run.run.step('a').attempts).toHaveLength(attempts);
  });

  it('gives what its run gave: what takes the rest is skipped', () => {
    const run = begin(
      graphOf({ a: child(), takes: { inputs: { n: rowsOf('a') } }, other: { inputs: { n: rowsOf('a', 0) } } }),
    );
    run.succeed('a', {});
    expect(run.phases()).toMatchObject({ takes: 'Skipped/InputUnavailable', other: 'Running/Created' });
  });

  it('fails when its run gave what is of another type', () => {
    const run = begin(graphOf({ a: child() })).succeed('a', { rows: 'many' });
    expect(run.phase('a')).toBe('Failed/OutputsInvalid');
  });

  it('counts for the parallelism of its run, and for no limit across runs', () => {
    const table = new LockTable({ maxSteps: 1 });
    const scenario = new Scenario(graphOf({ a: child(), b: child(), work: {}, more: {} }), { parallelism: 3 });
    const seat = table.join({ uid: '1', namespace: 'a', name: 'run' }, () => undefined);
    scenario.run = new Run(scenario.topology, scenario.spec, undefined, seat);
    expect(scenario.tell().asked).toEqual(['start a 1', 'start b 1', 'start work 1']);
    scenario.ask({ parallelism: 10 });
    expect(scenario.phase('more')).toBe('Waiting/ControllerLimit');
  });
});
