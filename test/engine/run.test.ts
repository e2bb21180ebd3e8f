import { describe, expect, it } from 'vitest';
import { begin, graphOf, rowsOf, Scenario, T0, withRows } from './scenario.ts';

describe('a run', () => {
  it('starts what has no upstreams, then what these lead to, and ends with the last step', () => {
    const run = begin(
      graphOf({ extract: withRows, load: { inputs: { rows: rowsOf('extract') } }, report: { after: ['load'] } }),
    );
    expect(run.asked).toEqual(['start extract 1']);
    run.succeed('extract', { rows: 3 });
    expect(run.commands).toEqual([{ kind: 'start', step: 'load', attempt: 1, inputs: { rows: 3 } }]);
    expect(run.run.step('report')).toEqual({ phase: 'Pending', reason: 'WaitingForUpstreams', attempts: [] });
    run.succeed('load').succeed('report');
    expect(run.end).toBe('Succeeded/Completed');
    expect(run.run.finished).toBe(true);
    expect(run.run.counts()).toEqual({ active: 0, succeeded: 3, failed: 0, skipped: 0, cancelled: 0, total: 3 });
  });

  it('succeeds at once when it has no steps', () => {
    const run = begin(graphOf({}, { outputs: { answer: { value: 42 } } }));
    expect(run.end).toBe('Succeeded/Completed');
    expect(run.run.state).toMatchObject({ startedAt: T0, finishedAt: T0, outputs: { answer: 42 } });
  });

  it('tells only what changed', () => {
    const run = begin(graphOf({ a: {}, b: { after: ['a'] }, c: {} }));
    expect([...run.decision!.steps.keys()].sort()).toEqual(['a', 'c']);
    expect(run.decision!.run).toMatchObject({ phase: 'Running', reason: 'Started' });
    run.runs('a');
    expect([...run.decision!.steps.keys()]).toEqual(['a']);
    expect(run.decision!.run).toBeUndefined();
    run.runs('a');
    expect(run.decision).toEqual({ steps: new Map(), commands: [] });
  });

  it('keeps the times of an attempt', () => {
    const run = begin(graphOf({ a: {} }));
    run.now += 2000;
    run.pending('a', 'pulling image').runs('a');
    run.now += 3000;
    run.succeed('a');
    expect(run.run.step('a').attempts).toMatchObject([
      {
        number: 1,
        phase: 'Succeeded',
        reason: 'Completed',
        createdAt: T0,
        startedAt: T0 + 2000,
        finishedAt: T0 + 5000,
      },
    ]);
    expect(run.run.step('a')).toMatchObject({ readyAt: T0, finishedAt: T0 + 5000 });
  });

  it('takes its outputs from its inputs, literals and steps, and leaves out those of steps whose condition was false', () => {
    const outputs = {
      rows: rowsOf('a'),
      site: { input: 'site' },
      both: { list: [rowsOf('a'), { value: 'x' }] },
      nested: { fields: { rows: rowsOf('a'), none: rowsOf('b') } },
      none: rowsOf('b'),
      fallback: rowsOf('b', 0),
    } as const;
    const steps = { a: withRows, b: { ...withRows, when: { cel: 'false', steps: [] } } };
    const run = begin(graphOf(steps, { outputs }), { inputs: { site: 'site-a' } }).succeed('a', { rows: 7 });
    expect(run.run.state.outputs).toEqual({
      rows: 7,
      site: 'site-a',
      both: [7, 'x'],
      nested: { rows: 7 },
      fallback: 0,
    });
  });

  it('names the steps that failed, five of them at most', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const run = begin(
      graphOf(Object.fromEntries(names.map((name) => [name, {}])), { failurePolicy: 'RunIndependent' }),
    );
    for (const name of names) run.fail(name, { exitCode: 3 });
    expect(run.end).toBe('Failed/StepFailed');
    expect(run.run.state.message).toBe(
      '7 of 7 steps failed: a (exit code 3), b (exit code 3), c (exit code 3), d (exit code 3), e (exit code 3) and 2 more',
    );
  });

  it('stays as it is once it has finished', () => {
    const run = begin(graphOf({ a: {} })).succeed('a');
    const { state } = run.run;
    run.ask({ cancel: 'Now', suspended: true }).fail('a').after(1000);
    expect(run.run.state).toBe(state);
    expect(run.decision).toEqual({ steps: new Map(), commands: [] });
  });

  it('refuses to speak of steps that the graph does not have', () => {
    expect(() => new Scenario(graphOf({ a: {} })).run.step('b')).toThrow('the graph has no step "b"');
  });

  it('ignores what is seen of steps that the graph does not have', () => {
    const run = begin(graphOf({ a: {} })).tell({ step: 'zebra', attempt: 1, state: { kind: 'pending' } });
    expect(run.decision).toEqual({ steps: new Map(), commands: [] });
  });
});

describe('parallelism', () => {
  const five = graphOf({ a: {}, b: {}, c: {}, d: {}, e: { after: ['a'] } });

  it('limits how many steps run at once, in the order of the graph', () => {
    const run = begin(five, { parallelism: 2 });
    expect(run.asked).toEqual(['start a 1', 'start b 1']);
    expect(run.phase('c')).toBe('Waiting/ParallelismLimit');
    expect(run.succeed('a').asked).toEqual(['start c 1']);
    expect(run.succeed('b').asked).toEqual(['start d 1']);
    expect(run.succeed('c').asked).toEqual(['start e 1']);
  });

  it('lets those that were ready earlier go first', () => {
    const run = begin(graphOf({ late: { after: ['a'] }, a: {}, b: {}, c: {} }), { parallelism: 2 });
    run.now += 1000;
    expect(run.succeed('a').asked).toEqual(['start c 1']);
    expect(run.succeed('b').asked).toEqual(['start late 1']);
  });

  it('may be edited while the run goes on; a lower limit stops nothing', () => {
    const run = begin(five, { parallelism: 1 });
    expect(run.ask({ parallelism: 3 }).asked).toEqual(['start b 1', 'start c 1']);
    expect(run.ask({ parallelism: 1 }).asked).toEqual([]);
    expect(run.succeed('a').succeed('b').asked).toEqual([]);
    expect(run.succeed('c').asked).toEqual(['start d 1']);
  });
});
