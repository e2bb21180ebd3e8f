import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EndsWatch } from '../../lib/engine/ends-watch.ts';
import { conditionText, evaluateEnds } from '../../lib/graph/end-condition.ts';
import { endings, type EndCondition, type Ending, type FailurePolicy } from '../../lib/graph/graph.ts';
import { begin, graphOf, rowsOf, withRows, type Scenario, type StepSketch } from './scenario.ts';

const is = (step: string, ended: Ending): EndCondition => ({ step, ended });
const all = (...parts: EndCondition[]): EndCondition => ({ all: parts });
const any = (...parts: EndCondition[]): EndCondition => ({ any: parts });
const not = (part: EndCondition): EndCondition => ({ not: part });

type End = Exclude<Ending, 'finished'>;
const ends = ['succeeded', 'failed', 'skipped', 'cancelled'] as const;

const condition = fc.letrec<{ any: EndCondition }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.record({ step: fc.constantFrom('a', 'b', 'c', 'd'), ended: fc.constantFrom(...endings) }),
    fc.record({ all: fc.array(tie('any'), { maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('any'), { maxLength: 3 }) }),
    fc.record({ not: tie('any') }),
  ),
})).any;

describe('a condition on ends', () => {
  it.each<[EndCondition, Partial<Record<string, End>>, boolean | undefined]>([
    [is('a', 'succeeded'), {}, undefined],
    [is('a', 'succeeded'), { a: 'failed' }, false],
    [is('a', 'finished'), { a: 'cancelled' }, true],
    [any(is('a', 'succeeded'), is('b', 'succeeded')), { b: 'succeeded' }, true],
    [any(is('a', 'succeeded'), is('b', 'succeeded')), { b: 'failed' }, undefined],
    [all(is('a', 'failed'), is('b', 'failed')), { b: 'skipped' }, false],
    [not(is('a', 'failed')), { a: 'skipped' }, true],
    [not(all()), {}, false],
    [any(), {}, false],
  ])('%j, with %j known, is %s', (what, known, expected) => {
    expect(evaluateEnds(what, (step) => known[step])).toBe(expected);
  });

  it('that is told of ends one by one is decided exactly when those that are known decide it', () => {
    const told = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom(...ends)), {
      selector: ([step]) => step,
    });
    fc.assert(
      fc.property(condition, told, (what, order) => {
        const watch = new EndsWatch(what);
        const known = new Map<string, End>();
        expect(watch.holds).toBe(evaluateEnds(what, (step) => known.get(step)));
        for (const [step, end] of order) {
          known.set(step, end);
          watch.tell(step, end);
          expect(watch.holds).toBe(evaluateEnds(what, (other) => known.get(other)));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('reads as it is written', () => {
    expect(conditionText(any(is('a', 'succeeded'), not(all(is('b', 'failed')))))).toBe(
      'any(succeeded(a), not(all(failed(b))))',
    );
  });
});

const independent = { failurePolicy: 'RunIndependent' } as const;

describe('a step that looks at how others ended', () => {
  const two = { a: {}, b: {} };

  it('starts as soon as that is decided, while others still run', () => {
    const run = begin(graphOf({ ...two, next: { depends: any(is('a', 'succeeded'), is('b', 'succeeded')) } }));
    run.succeed('b');
    expect(run.asked).toEqual(['start next 1']);
    expect(run.phase('a')).toBe('Running/Created');
  });

  it('is skipped as soon as it cannot hold, and says why', () => {
    const run = begin(graphOf({ ...two, next: { depends: all(is('a', 'failed'), is('b', 'failed')) } }));
    run.succeed('b');
    expect(run.run.step('next')).toMatchObject({
      phase: 'Skipped',
      reason: 'AfterFalse',
      message: 'all(failed(a), failed(b)) does not hold: b is Succeeded',
    });
  });

  it('waits for its values all the same', () => {
    const next = { depends: any(is('a', 'succeeded'), is('b', 'succeeded')), inputs: { rows: rowsOf('a', 0) } };
    const run = begin(graphOf({ a: withRows, b: {}, next })).succeed('b');
    expect(run.phase('next')).toBe('Pending/WaitingForUpstreams');
    expect(run.run.explain('next', run.now)).toBe(
      '1 of 2 upstreams done; waiting for a, until any(succeeded(a), succeeded(b))',
    );
    expect(run.succeed('a', { rows: 3 }).commands).toMatchObject([{ step: 'next', inputs: { rows: 3 } }]);
  });

  it('does without the values of a failed one if they have a default', () => {
    const next = { depends: is('a', 'failed'), inputs: { rows: rowsOf('a', 0) } };
    const run = begin(graphOf({ a: withRows, next })).fail('a');
    expect(run.commands).toMatchObject([{ step: 'next', inputs: { rows: 0 } }]);
  });

  it('skips what comes after it when it is skipped', () => {
    const run = begin(graphOf({ a: {}, next: { depends: is('a', 'failed') }, last: { after: ['next'] } })).succeed('a');
    expect(run.phases()).toMatchObject({ next: 'Skipped/AfterFalse', last: 'Skipped/UpstreamSkipped' });
    expect(run.end).toBe('Succeeded/Completed');
  });

  it('takes the end itself as a value', () => {
    const status = (field: 'phase' | 'reason' | 'message' | 'attempt') => ({ status: 'a', field }) as const;
    const inputs = {
      phase: status('phase'),
      reason: status('reason'),
      message: status('message'),
      attempt: status('attempt'),
    };
    const when = { cel: 'steps.a.status.phase == "Failed" && steps.a.status.attempt == 2', steps: [], statuses: ['a'] };
    const run = begin(graphOf({ a: { retries: { limit: 1 } }, next: { inputs, when } }, independent));
    run.fail('a', { exitCode: 3 }).fail('a', { exitCode: 3 });
    expect(run.commands).toMatchObject([
      {
        step: 'next',
        inputs: { phase: 'Failed', reason: 'ExitCode', message: 'exit code 3 (2 attempts)', attempt: 2 },
      },
    ]);
  });

  it('costs the same for each of a thousand', () => {
    const names = Array.from({ length: 1000 }, (_, index) => `s${index}`);
    const steps = Object.fromEntries(names.map((name): [string, StepSketch] => [name, {}]));
    const run = begin(graphOf({ ...steps, next: { depends: all(...names.map((name) => is(name, 'finished'))) } }), {
      parallelism: 2000,
    });
    for (const name of names) run.succeed(name);
    expect(run.asked).toEqual(['start next 1']);
  });
});

describe('a failure', () => {
  type Case = [name: string, steps: Record<string, StepSketch>, play: (run: Scenario) => void, end: string];
  const handler = (depends: EndCondition, more: StepSketch = {}) => ({ a: {}, b: {}, h: { depends, ...more } });

  it.each<Case>([
    [
      'is handled by a step that runs because of it',
      handler(is('a', 'failed')),
      (run) => run.fail('a').succeed('h'),
      'Succeeded/Completed',
    ],
    [
      'is handled by a step that runs whatever became of it',
      handler(is('a', 'finished')),
      (run) => run.fail('a').succeed('h'),
      'Succeeded/Completed',
    ],
    [
      'is handled by a step that runs for another one instead',
      handler(any(is('a', 'succeeded'), is('b', 'succeeded'))),
      (run) => run.fail('a').succeed('b').succeed('h'),
      'Succeeded/Completed',
    ],
    [
      'is not handled by a step that asked for success',
      handler(is('a', 'succeeded')),
      (run) => run.fail('a'),
      'Failed/StepFailed',
    ],
    [
      'is not handled by a step whose own condition was false',
      handler(is('a', 'failed'), { when: { cel: 'false', steps: [] } }),
      (run) => run.fail('a'),
      'Failed/StepFailed',
    ],
    [
      'is not handled by a step that fails in turn',
      handler(is('a', 'failed')),
      (run) => run.fail('a').fail('h'),
      'Failed/StepFailed',
    ],
    [
      'is not handled by looking at its status',
      { a: {}, b: {}, h: { inputs: { x: { status: 'a', field: 'phase' } } } },
      (run) => run.fail('a').succeed('h'),
      'Failed/StepFailed',
    ],
  ])('%s', (_name, steps, play, end) => {
    const run = begin(graphOf(steps, independent));
    play(run);
    if (run.run.step('b').phase === 'Running') run.succeed('b');
    expect(run.end).toBe(end);
  });

  it('that is handled lets the others start', () => {
    const run = begin(graphOf({ a: {}, b: {}, c: { after: ['b'] }, h: { depends: is('a', 'failed') } })).fail('a');
    expect(run.asked).toEqual(['start h 1']);
    expect(run.succeed('b').asked).toEqual(['start c 1']);
  });

  it('that may yet be handled does not end the run until that is out', () => {
    const steps = { a: {}, b: {}, c: { after: ['b'] }, h: { depends: all(is('a', 'failed'), is('b', 'failed')) } };
    const run = begin(graphOf({ ...steps, long: {} })).fail('a');
    expect(run.end).toBe('Running/Started');
    run.succeed('b');
    expect(run.phases()).toMatchObject({ h: 'Skipped/AfterFalse', c: 'Skipped/RunFailing' });
    expect(run.end).toBe('Running/StepFailed');
    expect(run.run.state.message).toBe('1 of 5 steps failed: a (exit code 1)');
  });
});

describe('a step for the end of a run', () => {
  const steps: Record<string, StepSketch> = {
    a: {},
    b: { after: ['a'] },
    warn: { role: 'onFailure' },
    clean: { role: 'finally' },
    tell: { role: 'finally' },
  };

  it('waits for all others, and those for failures come first', () => {
    const run = begin(graphOf(steps));
    expect(run.asked).toEqual(['start a 1']);
    expect(run.run.explain('clean', run.now)).toBe(
      'waiting for the 3 other steps to end; it runs then, whatever becomes of them',
    );
    expect(run.fail('a').asked).toEqual(['start warn 1']);
    expect(run.succeed('warn').asked).toEqual(['start clean 1', 'start tell 1']);
    expect(run.succeed('clean').end).toBe('Running/StepFailed');
    expect(run.succeed('tell').end).toBe('Failed/StepFailed');
  });

  it('for failures is skipped when there was none', () => {
    const run = begin(graphOf(steps)).succeed('a').succeed('b');
    expect(run.phase('warn')).toBe('Skipped/NoFailure');
    expect(run.asked).toEqual(['start clean 1', 'start tell 1']);
    expect(run.succeed('clean').succeed('tell').end).toBe('Succeeded/Completed');
  });

  it('for failures is skipped when they were handled', () => {
    const run = begin(graphOf({ a: {}, h: { depends: is('a', 'failed') }, warn: { role: 'onFailure' } }));
    expect(run.fail('a').succeed('h').phase('warn')).toBe('Skipped/NoFailure');
    expect(run.end).toBe('Succeeded/Completed');
  });

  it('fails the run when it fails, and does not keep the others of its kind from running', () => {
    const run = begin(graphOf({ a: {}, clean: { role: 'finally' }, tell: { role: 'finally' } }), { parallelism: 1 });
    run.succeed('a').fail('clean');
    expect(run.asked).toEqual(['start tell 1']);
    expect(run.succeed('tell').end).toBe('Failed/StepFailed');
  });

  it('is tried again like any other, also when the run has failed', () => {
    const run = begin(graphOf({ a: {}, clean: { role: 'finally', retries: { limit: 1 } } }))
      .fail('a')
      .fail('clean');
    expect(run.asked).toEqual(['start clean 2']);
  });

  it('does without values that there are not, and sees what became of the others', () => {
    const inputs = { rows: rowsOf('a', -1), phase: { status: 'a', field: 'phase' } } as const;
    const run = begin(graphOf({ a: withRows, clean: { role: 'finally', inputs } })).fail('a');
    expect(run.commands).toMatchObject([{ step: 'clean', inputs: { rows: -1, phase: 'Failed' } }]);
  });

  it('may be all that there is', () => {
    const run = begin(graphOf({ clean: { role: 'finally' }, warn: { role: 'onFailure' } }));
    expect(run.asked).toEqual(['start clean 1']);
    expect(run.succeed('clean').end).toBe('Succeeded/Completed');
  });

  it.each<[FailurePolicy, string[]]>([
    ['FinishRunning', []],
    ['CancelRunning', ['stop other 1 FailurePolicy']],
    ['RunIndependent', []],
  ])('runs with %s once nothing else does', (failurePolicy, asked) => {
    const run = begin(graphOf({ a: {}, other: {}, clean: { role: 'finally' } }, { failurePolicy })).fail('a');
    expect(run.asked).toEqual(asked);
    expect((asked.length > 0 ? run.fail('other') : run.succeed('other')).asked).toEqual(['start clean 1']);
    expect(run.succeed('clean').end).toBe('Failed/StepFailed');
  });
});

describe('a run that is told to end', () => {
  const steps: Record<string, StepSketch> = {
    a: {},
    b: { after: ['a'] },
    warn: { role: 'onFailure' },
    clean: { role: 'finally' },
  };

  it('with RunFinally stops what runs, then runs the finally steps', () => {
    const run = begin(graphOf(steps)).ask({ cancel: 'RunFinally' });
    expect(run.asked).toEqual(['stop a 1 CancelRequested']);
    expect(run.fail('a').asked).toEqual(['start clean 1']);
    expect(run.phases()).toMatchObject({ b: 'Cancelled/CancelRequested', warn: 'Skipped/NoFailure' });
    expect(run.succeed('clean').end).toBe('Cancelled/CancelRequested');
  });

  it('with Drain lets what runs end, then runs the finally steps', () => {
    const run = begin(graphOf(steps)).ask({ cancel: 'Drain' });
    expect(run.asked).toEqual([]);
    expect(run.succeed('a').asked).toEqual(['start clean 1']);
    expect(run.succeed('clean').end).toBe('Cancelled/CancelRequested');
  });

  it('with Now stops all, also the finally steps, also those that run already', () => {
    const run = begin(graphOf(steps)).ask({ cancel: 'Now' });
    expect(run.phase('clean')).toBe('Cancelled/CancelRequested');
    expect(run.fail('a').end).toBe('Cancelled/CancelRequested');
    const later = begin(graphOf(steps)).succeed('a').succeed('b').ask({ cancel: 'Now' });
    expect(later.asked).toEqual(['stop clean 1 CancelRequested']);
    expect(later.fail('clean').end).toBe('Cancelled/CancelRequested');
  });

  it('goes from Drain to RunFinally to Now, and not back', () => {
    const run = begin(graphOf(steps)).ask({ cancel: 'Drain' }).ask({ cancel: 'RunFinally' });
    expect(run.asked).toEqual(['stop a 1 CancelRequested']);
    run.ask({ cancel: 'Drain' });
    expect(run.run.state.cancel).toBe('RunFinally');
    run.fail('a').ask({ cancel: 'Now' });
    expect(run.asked).toEqual(['stop clean 1 CancelRequested']);
  });

  it('is past being drained when only finally steps are left', () => {
    const run = begin(graphOf(steps)).succeed('a').succeed('b').ask({ cancel: 'RunFinally' });
    expect(run.asked).toEqual([]);
    expect(run.succeed('clean').end).toBe('Succeeded/Completed');
  });

  it('by its timeout runs the steps for failures and the finally steps, which that time does not hold for', () => {
    const run = begin(graphOf(steps), { timeoutSeconds: 10 }).after(10);
    expect(run.asked).toEqual(['stop a 1 RunTimeout']);
    expect(run.fail('a').asked).toEqual(['start warn 1']);
    expect(run.after(100).succeed('warn').asked).toEqual(['start clean 1']);
    expect(run.after(100).succeed('clean').end).toBe('Failed/RunTimeout');
    const finallyLong = begin(graphOf(steps), { timeoutSeconds: 10 }).succeed('a').succeed('b').after(20);
    expect(finallyLong.succeed('clean').end).toBe('Succeeded/Completed');
  });
});
