import { describe, expect, it } from 'vitest';
import {
  cloudEvent,
  missingNotice,
  noticeOf,
  noticeSubject,
  noticeText,
  slackMessage,
} from '../../../lib/controller/notifications/notice.ts';
import type { RunFacts } from '../../../lib/controller/notifications/run-facts.ts';
import { fillTemplate, templateProblems } from '../../../lib/graph/notice-text.ts';
import type { NotificationEvent } from '../../../lib/graph/notifications.ts';

const at = Date.UTC(2026, 0, 1);
const run: RunFacts = {
  uid: 'u-1',
  name: 'etl-1',
  namespace: 'data',
  plan: 'etl',
  workflow: 'site-etl',
  createdAt: at,
  dueAt: at,
  scheduledAt: at,
  startedAt: at + 1000,
  end: { phase: 'Failed', reason: 'StepFailed', message: 'load <failed> & more', at: at + 200_000 },
};

const notice = (facts: RunFacts, event: NotificationEvent, text?: string, runUrl?: string) =>
  noticeOf(
    facts,
    2,
    {
      ...(runUrl && { runUrl }),
      notifications: { team: { on: [], ...(text && { text }), to: { kind: 'slack', url: '' } } },
    },
    { notification: 'team', event, at: at + 200_000, until: Infinity },
  );

describe('a text', () => {
  const { end: _, ...going } = run;
  const { startedAt: __, ...waiting } = going;
  it.each<[NotificationEvent, RunFacts, string]>([
    ['failed', run, 'Run etl-1 failed after 3m19s: StepFailed. load <failed> & more'],
    ['late', waiting, 'Run etl-1 is late: it was due at 2026-01-01T00:00:00Z.'],
    ['runningLong', going, 'Run etl-1 takes long: it started at 2026-01-01T00:00:01Z.'],
    ['succeeded', { ...run, end: { ...run.end!, phase: 'Succeeded' } }, 'Run etl-1 succeeded after 3m19s.'],
    [
      'recovered',
      { ...run, end: { ...run.end!, phase: 'Succeeded' } },
      'Back to normal: run etl-1 succeeded after 2 failed in a row.',
    ],
    ['cancelled', { ...run, end: { ...run.end!, phase: 'Cancelled', message: '' } }, 'Run etl-1 was cancelled.'],
  ])('of %s', (event, facts, expected) => {
    expect(noticeText(notice(facts, event))).toBe(expected);
  });

  it('has what the author says, and the link of a run', () => {
    const text = '{{{plan}}} {phase}, {failures} in a row{group}: {url}';
    const told = notice(run, 'failed', text, 'https://jobs.test/{namespace}/{run}?why={message}');
    expect(noticeText(told)).toBe(
      '{etl} Failed, 3 in a row: https://jobs.test/data/etl-1?why=load%20%3Cfailed%3E%20%26%20more',
    );
  });

  it('of a chat is the markup of the author, and what runs say is none', () => {
    const text = '<{url}|open> {message}';
    expect(slackMessage(notice(run, 'failed', text, 'https://jobs.test/{run}'))).toEqual({
      text: '<https://jobs.test/etl-1|open> load &lt;failed&gt; &amp; more',
    });
  });
});

it('a CloudEvent has what the specification asks for', () => {
  expect(cloudEvent(notice(run, 'failed'))).toEqual({
    specversion: '1.0',
    id: 'u-1.failed',
    source: '/namespaces/data/jobs/etl-1',
    type: 'dev.cdk8s-workflows.run.failed',
    subject: 'etl',
    time: '2026-01-01T00:03:20Z',
    datacontenttype: 'application/json',
    data: {
      event: 'failed',
      run: 'etl-1',
      plan: 'etl',
      workflow: 'site-etl',
      namespace: 'data',
      phase: 'Failed',
      reason: 'StepFailed',
      message: 'load <failed> & more',
      scheduledAt: '2026-01-01T00:00:00Z',
      startedAt: '2026-01-01T00:00:01Z',
      finishedAt: '2026-01-01T00:03:20Z',
      duration: '3m19s',
      failures: 3,
      text: 'Run etl-1 failed after 3m19s: StepFailed. load <failed> & more',
    },
  });
});

describe('a template', () => {
  it.each([
    ['{run} {{run}} {url}', []],
    ['{rum}', ['text: "{rum}" is no field; did you mean "run"?']],
    ['{run', ['text: has a single "{": "{run"; write it twice']],
    [
      'run} {}',
      ['text: has a single "}": "run} {}"; write it twice', expect.stringMatching(/^text: "\{\}" is no field/)],
    ],
  ])('%j', (template, expected) => {
    const lines = [...templateProblems(template, 'text')].map(
      ({ path, message, fix }) => `${path}: ${message}${fix ? `; ${fix}` : ''}`,
    );
    expect(lines).toEqual(expected);
  });

  it('leaves what is no field as it is, and puts no value in twice', () => {
    expect(fillTemplate('{run} {other} {', { run: '{plan}', plan: 'p' }, (value) => value)).toBe('{plan} {other} {');
  });
});

describe('a plan that made no run', () => {
  const plan = {
    uid: 'p-1',
    name: 'etl',
    namespace: 'data',
    timetable: { expressions: ['@daily'], from: -Infinity, to: Infinity },
    since: 0,
    countsFrom: 0,
  };
  const missing = (more: { goesOn?: string }, text?: string, runUrl?: string) =>
    missingNotice(
      { ...plan, ...more },
      {
        cluster: 'eu',
        ...(runUrl && { runUrl }),
        notifications: { team: { on: [], ...(text && { text }), to: { kind: 'slack', url: '' } } },
      },
      { notification: 'team', event: 'late', time: at, at: at + 1000, until: Infinity },
    );

  it.each([
    ['it says so', missing({}), 'Plan etl is late: no run was made for 2026-01-01T00:00:00Z.'],
    [
      'it says what is in its way',
      missing({ goesOn: 'etl-1' }),
      'Plan etl is late: no run was made for 2026-01-01T00:00:00Z, since etl-1 still goes on.',
    ],
    [
      'what the author says of plans holds',
      missing({}, '{plan} {event} {scheduledAt}'),
      'etl late 2026-01-01T00:00:00Z',
    ],
    [
      'what the author says of runs does not, and there is no link to one',
      missing({}, 'See {run}: {url}', 'https://jobs.test/{run}'),
      'Plan etl is late: no run was made for 2026-01-01T00:00:00Z.',
    ],
    [
      'a link to the plan does',
      missing({}, 'See {run}', 'https://jobs.test/{namespace}/{plan}'),
      'Plan etl is late: no run was made for 2026-01-01T00:00:00Z.\nhttps://jobs.test/data/etl',
    ],
  ])('%s', (_, told, expected) => expect(noticeText(told)).toBe(expected));

  it('has a subject and an event of its own', () => {
    expect(noticeSubject(missing({}))).toBe('Plan etl: late');
    expect(noticeSubject(missing({}), '[{cluster}] {plan}')).toBe('[eu] etl');
    expect(cloudEvent(missing({ goesOn: 'etl-1' }))).toMatchObject({
      id: `p-1.${at / 1000}.late`,
      source: '/clusters/eu/namespaces/data/cronjobs/etl',
      type: 'dev.cdk8s-workflows.plan.late',
      subject: 'etl',
      data: { plan: 'etl', reason: 'RunGoesOn', scheduledAt: '2026-01-01T00:00:00Z', failures: 0 },
    });
  });
});
