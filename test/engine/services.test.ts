import { describe, expect, it } from 'vitest';
import { recoveredRecord } from '../../lib/engine/recover.ts';
import type { StepPhase } from '../../lib/engine/record.ts';
import { Run } from '../../lib/engine/run.ts';
import type { ServiceStep } from '../../lib/graph/graph.ts';
import { topology } from '../../lib/graph/topology.ts';
import { begin, gateSketch, graphOf, hostOf, service, T0, type Scenario, type StepSketch } from './scenario.ts';

const db = (more: Partial<ServiceStep> = {}): StepSketch => ({ ...service, ...more });
const test: StepSketch = { inputs: { host: hostOf('db') } };
const after = (...names: readonly string[]): StepSketch => ({ after: names });
const independent = { failurePolicy: 'RunIndependent' } as const;

describe('a service', () => {
  it('is there for the steps that depend on it: they start when it is ready, and it is stopped when they have ended', () => {
    const run = begin(graphOf({ db: db(), test, load: after('db') }));
    expect(run.asked).toEqual(['start db 1']);
    expect(run.run.explain('test', run.now)).toBe('0 of 1 upstreams done; waiting for service db to be ready');
    run.runs('db');
    expect(run.asked).toEqual([]);
    expect(run.run.explain('db', run.now)).toBe('attempt 1 runs for 0 s, and is not ready');
    run.serves('db');
    expect(run.asked).toEqual(['start test 1', 'start load 1']);
    expect(run.commands[0]).toMatchObject({ inputs: { host: '10.0.0.1' } });
    expect(run.run.explain('db', run.now)).toBe('ready at 10.0.0.1; needed by test, load');
    expect(run.succeed('test').asked).toEqual([]);
    expect(run.succeed('load').asked).toEqual(['stop db 1 ServiceStopped']);
    run.fail('db', { exitCode: 143 });
    expect(run.phase('db')).toBe('Succeeded/ServiceStopped');
    expect(run.run.step('db').attempts).toMatchObject([{ phase: 'Succeeded', reason: 'ServiceStopped' }]);
    expect(run.end).toBe('Succeeded/Completed');
  });

  it('is stopped also if the steps that depend on it fail', () => {
    const run = begin(graphOf({ db: db(), test }, independent)).serves('db');
    expect(run.fail('test').asked).toEqual(['stop db 1 ServiceStopped']);
    expect(run.succeed('db').phases()).toEqual({ db: 'Succeeded/ServiceStopped', test: 'Failed/ExitCode' });
  });

  it('takes no room: what depends on it needs what there is', () => {
    const run = begin(graphOf({ db: db(), cache: db(), a: after('db', 'cache'), b: after('db', 'cache') }), {
      parallelism: 1,
    });
    expect(run.asked).toEqual(['start db 1', 'start cache 1']);
    expect(run.serves('db').serves('cache').asked).toEqual(['start a 1']);
    expect(run.succeed('a').asked).toEqual(['start b 1']);
  });

  it.each([
    ['an exit code', (run: Scenario) => run.fail('db'), 'Failed/ExitCode'],
    ['exit code 0', (run: Scenario) => run.succeed('db'), 'Failed/ServiceEnded'],
  ])('that ends by itself with %s has failed, and is tried again', (_, end, reason) => {
    const run = begin(graphOf({ db: db({ retries: { limit: 1 } }), test }, independent));
    expect(end(run).asked).toEqual(['start db 2']);
    end(run);
    expect(run.phases()).toEqual({ db: reason, test: 'Skipped/UpstreamFailed' });
    expect(run.end).toBe('Failed/StepFailed');
  });

  it('that is down for a retry holds up those who have not begun, which find it where it is then', () => {
    const run = begin(graphOf({ db: db({ retries: { limit: 1, delaySeconds: 30, jitter: 0 } }), a: test, b: test }), {
      parallelism: 1,
    });
    run.serves('db').fail('db').succeed('a');
    expect(run.asked).toEqual([]);
    expect(run.phase('b')).toBe('Waiting/ServiceNotReady');
    expect(run.run.explain('b', run.now)).toBe('waits for service db, which is not ready');
    expect(run.after(30).asked).toEqual(['start db 2']);
    expect(run.serves('db', '10.0.0.2').commands).toEqual([
      { kind: 'start', step: 'b', attempt: 1, inputs: { host: '10.0.0.2' } },
    ]);
  });

  it('that is down holds up the retries of those who have begun', () => {
    const run = begin(
      graphOf({ db: db({ retries: { limit: 1, delaySeconds: 30 } }), a: { ...test, retries: { limit: 1 } } }),
    );
    run.serves('db').fail('db').fail('a');
    expect(run.phase('a')).toBe('Waiting/ServiceNotReady');
    expect(run.after(30).serves('db', '10.0.0.2').asked).toEqual(['start a 2']);
  });

  it('that is down when the last step that needs it has ended is not tried again, and did what it was for', () => {
    const run = begin(graphOf({ db: db({ retries: { limit: 1, delaySeconds: 30 } }), test }))
      .serves('db')
      .fail('db');
    run.succeed('test');
    expect(run.phase('db')).toBe('Succeeded/ServiceStopped');
    expect(run.end).toBe('Succeeded/Completed');
  });

  it('that has failed for good leaves those alone that run, and skips those that wait', () => {
    const run = begin(graphOf({ db: db(), a: { ...test, retries: { limit: 3 } }, b: test }, independent), {
      parallelism: 1,
    });
    run.serves('db').fail('db');
    expect(run.phases()).toEqual({ db: 'Failed/ExitCode', a: 'Running/Created', b: 'Skipped/UpstreamFailed' });
    run.fail('a');
    expect(run.phase('a')).toBe('Failed/ExitCode');
    expect(run.run.step('a').message).toBe('exit code 1; not retried: step db failed');
  });

  it('that has failed for good ends the map that goes on without it', () => {
    const map = {
      kind: 'map',
      over: [{ input: 'n', list: { value: [1, 2, 3] } }],
      after: ['db'],
      concurrency: 1,
    } as const;
    const run = begin(graphOf({ db: db(), map }, independent)).serves('db');
    expect(run.asked).toEqual(['start map-0 1']);
    run.fail('db').succeed('map-0');
    expect(run.phase('map')).toBe('Failed/ServiceFailed');
    expect(run.run.step('map').message).toBe('step db failed; 1 of 3 items had run');
  });

  it('that fails with continueOnFailure is done without by those who only come after it', () => {
    const run = begin(graphOf({ db: db({ continueOnFailure: true }), a: test, b: after('db') }, independent)).fail(
      'db',
    );
    expect(run.phases()).toEqual({ db: 'Failed/ExitCode', a: 'Skipped/InputUnavailable', b: 'Running/Created' });
  });

  it('that was skipped is done without in the same way, and a default takes the place of its host', () => {
    const off = db({ when: { cel: 'false', steps: [] } });
    const run = begin(graphOf({ db: off, a: test, b: { inputs: { host: hostOf('db', 'db.example.com') } } }));
    expect(run.phase('a')).toBe('Skipped/InputUnavailable');
    expect(run.commands).toEqual([{ kind: 'start', step: 'b', attempt: 1, inputs: { host: 'db.example.com' } }]);
  });

  it('may need another one, which is stopped after it', () => {
    const run = begin(graphOf({ db: db(), app: { ...service, ...test }, e2e: after('app') })).serves('db');
    expect(run.asked).toEqual(['start app 1']);
    expect(run.serves('app', '10.0.0.2').asked).toEqual(['start e2e 1']);
    expect(run.succeed('e2e').asked).toEqual(['stop app 1 ServiceStopped']);
    expect(run.succeed('app').asked).toEqual(['stop db 1 ServiceStopped']);
    expect(run.succeed('db').end).toBe('Succeeded/Completed');
  });

  it('stays up while a gate waits that comes after it, and ends before the steps for the end of the run begin', () => {
    const run = begin(
      graphOf({
        db: db(),
        look: { ...gateSketch({ waitsFor: 'approval' }), after: ['db'] },
        tidy: { role: 'finally' },
      }),
    );
    run.serves('db');
    expect(run.phase('look')).toBe('Waiting/WaitingForApproval');
    expect(run.ask({ answers: { look: { approved: true } } }).asked).toEqual(['stop db 1 ServiceStopped']);
    expect(run.phase('tidy')).toBe('Pending/WaitingForUpstreams');
    expect(run.succeed('db').asked).toEqual(['start tidy 1']);
  });

  it('is needed by all steps of a workflow that begins after it', () => {
    const run = begin(
      graphOf({
        db: db(),
        'part-begin': { kind: 'begin', workflow: 'part', inputs: {}, after: ['db'] },
        'part-a': { depends: { step: 'part-begin', ended: 'succeeded' } },
        'part-b': { after: ['part-a'], depends: { step: 'part-begin', ended: 'succeeded' } },
        part: {
          kind: 'group',
          workflow: 'part',
          begin: 'part-begin',
          steps: ['part-begin', 'part-a', 'part-b'],
          values: {},
        },
      }),
    );
    expect(run.serves('db').asked).toEqual(['start part-a 1']);
    expect(run.succeed('part-a').asked).toEqual(['start part-b 1']);
    expect(run.succeed('part-b').asked).toEqual(['stop db 1 ServiceStopped']);
    expect(run.succeed('db').end).toBe('Succeeded/Completed');
  });

  it.each([
    ['before it starts', (run: Scenario) => run, 'Failed/PendingTimeout', 'system'],
    ['before it is ready', (run: Scenario) => run.runs('db'), 'Failed/StartupTimeout', 'user'],
  ])('that takes too long %s is stopped', (_, wait, end, failure) => {
    const run = wait(begin(graphOf({ db: db({ pendingTimeoutSeconds: 60, systemRetries: 0 }), test })));
    expect(run.after(59).asked).toEqual([]);
    expect(run.after(1).asked).toEqual([`stop db 1 ${end.split('/')[1]}`]);
    run.fail('db');
    expect(run.phase('db')).toBe(end);
    expect(run.run.step('db').attempts).toMatchObject([{ failure }]);
  });

  it('has as long as it likes once it is ready, but for the timeouts that are about that', () => {
    const run = begin(graphOf({ db: db({ pendingTimeoutSeconds: 60, timeoutSeconds: 600 }), test })).serves('db');
    expect(run.after(599).asked).toEqual([]);
    expect(run.after(1).asked).toEqual(['stop db 1 StepTimeout']);
    run.fail('db');
    expect(run.phase('db')).toBe('Failed/StepTimeout');
  });

  it.each([
    ['RunFinally', ['stop db 1 CancelRequested', 'stop test 1 CancelRequested'], 'Cancelled/CancelRequested'],
    ['Drain', [], 'Succeeded/ServiceStopped'],
  ] as const)('of a run that is cancelled with %s', (cancel, asked, end) => {
    const run = begin(graphOf({ db: db(), test, more: { after: ['test', 'db'] } }))
      .serves('db')
      .ask({ cancel });
    expect(run.asked).toEqual(asked);
    run.succeed('test').fail('db');
    expect(run.phase('db')).toBe(end);
    expect(run.phase('more')).toBe('Cancelled/CancelRequested');
    expect(run.end).toBe('Cancelled/CancelRequested');
  });

  it('is stopped early when a failure keeps those from starting that would need it', () => {
    const run = begin(graphOf({ db: db(), slow: {}, bad: {}, test: { ...test, after: ['slow'] } })).serves('db');
    expect(run.fail('bad').asked).toEqual(['stop db 1 ServiceStopped']);
    run.succeed('db').succeed('slow');
    expect(run.phase('test')).toBe('Skipped/RunFailing');
  });

  it('that is not ready yet is stopped then as well, and nobody misses its host', () => {
    const run = begin(graphOf({ db: db(), bad: {}, test })).fail('bad');
    expect(run.asked).toEqual(['stop db 1 ServiceStopped']);
    expect(run.fail('db').phases()).toMatchObject({ db: 'Succeeded/ServiceStopped', test: 'Skipped/RunFailing' });
  });

  it('of a suspended run goes on, and begins only after it', () => {
    const run = begin(graphOf({ db: db(), test }), { suspended: true });
    expect(run.phase('db')).toBe('Waiting/Suspended');
    expect(run.ask({ suspended: false }).asked).toEqual(['start db 1']);
    expect(run.ask({ suspended: true }).serves('db').asked).toEqual([]);
    expect(run.phases()).toEqual({ db: 'Running/ServiceReady', test: 'Waiting/Suspended' });
  });

  it('is not begun for steps that were all skipped by hand', () => {
    const run = begin(graphOf({ seed: {}, db: db({ after: ['seed'] }), test }), { skips: { test: '' } });
    expect(run.phases()).toEqual({
      seed: 'Running/Created',
      db: 'Skipped/ServiceNotNeeded',
      test: 'Skipped/SkippedByHand',
    });
  });

  it('whose stop was not written down is known to have been stopped, since nothing needs it', () => {
    const run = begin(graphOf({ db: db(), test })).serves('db');
    const kept = run.run.record();
    const again = new Run(run.topology, run.spec, kept);
    const finishedAt = run.now;
    again.advance(run.now, [
      { step: 'db', attempt: 1, state: { kind: 'failed', finishedAt, failure: 'user', reason: 'AttemptTimeout' } },
      { step: 'test', attempt: 1, state: { kind: 'succeeded', finishedAt } },
    ]);
    expect(again.step('db')).toMatchObject({ phase: 'Succeeded', reason: 'ServiceStopped' });
    expect(again.state.phase).toBe('Succeeded');
  });
});

describe('a rerun', () => {
  const graph = graphOf({
    db: db(),
    migrate: after('db'),
    test: { ...test, after: ['migrate'] },
    other: after('db'),
    report: after('test'),
  });
  const record = (failed: readonly string[]) => ({
    run: { phase: 'Failed', reason: 'StepFailed', startedAt: T0 } as const,
    steps: new Map(
      graph.steps.map(({ name }) => {
        const phase: StepPhase = failed.includes(name) ? 'Failed' : 'Succeeded';
        return [
          name,
          { phase, reason: phase === 'Failed' ? 'ExitCode' : 'Completed', attempts: [], finishedAt: T0 } as const,
        ];
      }),
    ),
  });
  const takenOver = (failed: readonly string[], rerun: readonly string[] = []) => [
    ...recoveredRecord(topology(graph), { run: 'old', record: record(failed), rerun }, T0).steps.keys(),
  ];

  it.each([
    ['a step that needs the service: with those before it that left something there', ['test'], [], ['other']],
    ['a step that needs it, and nothing of it comes before', ['other'], [], ['migrate', 'test', 'report']],
    ['a step that does not need it', ['report'], [], ['db', 'migrate', 'test', 'other']],
    [
      'the service alone, which failed when all had ended that needed it',
      ['db'],
      [],
      ['migrate', 'test', 'other', 'report'],
    ],
    ['the service, named, and all that comes after it', [], ['db'], []],
  ])('runs %s', (_, failed, rerun, expected) => {
    expect(takenOver(failed, rerun)).toEqual(expected);
  });

  it('in which nothing needs the service does not begin it', () => {
    const recovered = recoveredRecord(topology(graph), { run: 'old', record: record(['db']), rerun: [] }, T0);
    const run = new Run(topology(graph), { name: 'new', inputs: {}, parallelism: 1 }, recovered);
    expect(run.advance(T0).commands).toEqual([]);
    expect(run.step('db')).toMatchObject({ phase: 'Skipped', reason: 'ServiceNotNeeded' });
    expect(run.state.phase).toBe('Succeeded');
  });
});
