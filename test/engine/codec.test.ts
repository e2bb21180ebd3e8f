import { describe, expect, it } from 'vitest';
import { decodeRecord, encodeRecord, encodeRun, encodeStep } from '../../lib/engine/codec.ts';
import type { StepRecord } from '../../lib/engine/record.ts';
import { begin, graphOf, T0, withRows } from './scenario.ts';

const run = encodeRun({ phase: 'Running', reason: 'Started', startedAt: T0 });
const problemsOf = (steps: Record<string, unknown>, runText = run) => {
  const texts = Object.entries(steps).map(([name, step]) => [
    name,
    typeof step === 'string' ? step : JSON.stringify(step),
  ]);
  const decoded = decodeRecord({ run: runText, steps: Object.fromEntries(texts) });
  return 'problems' in decoded ? decoded.problems.map(({ path, message }) => `${path} ${message}`) : decoded.record;
};

describe('a record as text', () => {
  it('is read by people: times are ISO 8601', () => {
    const scenario = begin(graphOf({ a: withRows })).succeed('a', { rows: 1 });
    expect(JSON.parse(encodeStep(scenario.run.step('a')))).toEqual({
      phase: 'Succeeded',
      reason: 'Completed',
      readyAt: '2025-01-01T00:00:00.000Z',
      finishedAt: '2025-01-01T00:00:00.000Z',
      outputs: { rows: 1 },
      attempts: [
        {
          number: 1,
          phase: 'Succeeded',
          reason: 'Completed',
          createdAt: '2025-01-01T00:00:00.000Z',
          finishedAt: '2025-01-01T00:00:00.000Z',
        },
      ],
    });
    expect(run).toBe('{"phase":"Running","reason":"Started","startedAt":"2025-01-01T00:00:00.000Z"}');
  });

  it('comes back as it was', () => {
    const scenario = begin(graphOf({ a: { retries: { limit: 2, delaySeconds: 7 } }, b: {}, c: { after: ['a'] } }, {}), {
      parallelism: 1,
    });
    scenario
      .fail('a', { message: 'no "luck"\n', exitCode: 7 })
      .ask({ parallelism: 2 })
      .runs('b')
      .ask({ cancel: 'Drain' });
    expect(decodeRecord(encodeRecord(scenario.run.record()))).toEqual({ record: scenario.run.record() });
  });

  it('may have fields of a newer version', () => {
    const newer = JSON.parse(run);
    expect(
      problemsOf(
        { a: { phase: 'Pending', reason: 'WaitingForUpstreams', attempts: [], weight: 3 } },
        JSON.stringify({ ...newer, mood: 'good' }),
      ),
    ).toEqual({
      run: { phase: 'Running', reason: 'Started', startedAt: T0 },
      steps: new Map([['a', { phase: 'Pending', reason: 'WaitingForUpstreams', attempts: [] }]]),
    });
  });

  it('tells all that is wrong with it', () => {
    const attempt = { number: 0, phase: 'Done', createdAt: '2025-01-01T00:00:00.000Z', exitCode: 'one' };
    expect(
      problemsOf(
        {
          a: { phase: 'Finished', reason: 'Completed', readyAt: 'yesterday', attempts: [] },
          b: '{"phase":',
          c: '[]',
          d: { phase: 'Succeeded', reason: 'Completed', attempts: [attempt, 3], outputs: 'none', message: 1 },
        },
        '{"phase":"Running","reason":"Hope","cancel":"Please"}',
      ),
    ).toEqual([
      expect.stringMatching(/^run.reason must be one of Started, .*, not "Hope"$/),
      'run.startedAt is missing; it must be a time such as 2025-01-01T00:00:00.000Z',
      'run.cancel must be one of Now, RunFinally, Drain, not "Please"',
      'steps.a.phase must be one of Pending, Waiting, Running, Succeeded, Failed, Skipped, Cancelled, not "Finished"',
      'steps.a.readyAt must be a time such as 2025-01-01T00:00:00.000Z, not "yesterday"',
      expect.stringMatching(/^steps.b is not JSON: /),
      'steps.c must be four whole numbers and, if there are any, outputs',
      'steps.d.message must be a string, not 1',
      'steps.d.outputs must be a JSON object, not "none"',
      'steps.d.attempts[0].number must be a whole number from 1, not 0',
      'steps.d.attempts[0].phase must be one of Running, Succeeded, Failed, Cancelled, not "Done"',
      expect.stringMatching(/^steps.d.attempts\[0\].reason is missing; it must be one of /),
      'steps.d.attempts[0].exitCode must be a whole number, not "one"',
      'steps.d.attempts[1] must be a JSON object',
    ]);
  });

  it.each([
    [
      { phase: 'Running', reason: 'Created', attempts: [] },
      'attempts must end with the only running one, since the step is Running',
    ],
    [
      { phase: 'Succeeded', reason: 'Completed', attempts: [live(1)] },
      'attempts must have no running one, since the step is Succeeded',
    ],
    [
      { phase: 'Running', reason: 'Created', attempts: [live(1), live(2)] },
      'attempts must end with the only running one, since the step is Running',
    ],
    [
      { phase: 'Running', reason: 'Created', attempts: [over(2), live(1)] },
      'attempts must be in the order of their numbers, not 2, 1',
    ],
    [
      { phase: 'Pending', reason: 'WaitingForUpstreams', attempts: [over(1)] },
      'attempts must be empty, since the step is Pending',
    ],
    [{ phase: 'Waiting', reason: 'Suspended', attempts: [] }, 'readyAt is missing, since the step is Waiting'],
    [
      { phase: 'Waiting', reason: 'Backoff', readyAt: '2025-01-01T00:00:00.000Z', attempts: [over(1)] },
      'retryAt is missing, since the step waits for a retry',
    ],
  ])('must make sense: %j', (step, problem) => {
    expect(problemsOf({ a: step })).toEqual([`steps.a.${problem}`]);
  });
});

function live(number: number) {
  return { number, phase: 'Running', reason: 'Created', createdAt: '2025-01-01T00:00:00.000Z' };
}

function over(number: number) {
  return { ...live(number), phase: 'Failed', reason: 'ExitCode', failure: 'user' };
}

describe('a step that succeeded at once', () => {
  const done: StepRecord = {
    phase: 'Succeeded',
    reason: 'Completed',
    readyAt: T0,
    finishedAt: T0 + 3005,
    attempts: [
      {
        number: 1,
        phase: 'Succeeded',
        reason: 'Completed',
        createdAt: T0 + 1,
        startedAt: T0 + 5,
        finishedAt: T0 + 3005,
      },
    ],
    outputs: { rows: 1 },
  };

  it('is a line of numbers in the record of a large run, and read again as it was', () => {
    const text = encodeStep(done, 'short');
    expect(text).toBe(`[${T0},1,4,3000,{"rows":1}]`);
    const run = encodeRun(begin(graphOf({ a: {} })).run.state);
    expect(decodeRecord({ run, steps: { a: text } })).toMatchObject({ record: { steps: new Map([['a', done]]) } });
  });

  it.each<Partial<StepRecord>>([
    { message: 'taken over from run a' },
    { outputs: { rows: 1 } },
    { message: 'taken over from run a', outputs: {} },
    {},
  ])('is as short when it was taken over: %j', (more) => {
    const step: StepRecord = { phase: 'Succeeded', reason: 'Recovered', attempts: [], finishedAt: T0 + 1, ...more };
    const text = encodeStep(step, 'short');
    expect(text).toMatch(/^\[/);
    const run = encodeRun(begin(graphOf({ a: {} })).run.state);
    expect(decodeRecord({ run, steps: { a: text } })).toMatchObject({ record: { steps: new Map([['a', step]]) } });
  });

  it.each<[string, Partial<StepRecord>]>([
    ['took several attempts', { attempts: [{ ...done.attempts[0]!, number: 2 }] }],
    ['has something to say', { message: 'x' }],
    ['failed', { phase: 'Failed', reason: 'ExitCode' }],
    ['was never seen to run', { attempts: [{ ...done.attempts[0]!, startedAt: undefined }] }],
  ])('is written in full when it %s', (_name, more) => {
    expect(encodeStep({ ...done, ...more }, 'short')).toBe(encodeStep({ ...done, ...more }));
  });

  it('cannot be just any list', () => {
    const run = encodeRun(begin(graphOf({ a: {} })).run.state);
    for (const text of [
      '[1]',
      '[1,2]',
      '["1",null]',
      '[1,{},3]',
      '[1,2,3]',
      '[1,2,3,"4"]',
      '[1,2,3,4,5]',
      '[1,2,3,4,{},6]',
      '3',
    ])
      expect(decodeRecord({ run, steps: { a: text } })).toMatchObject({ problems: [{ path: 'steps.a' }] });
  });
});
