import { App, Chart, Duration, Testing } from 'cdk8s';
import {
  ContainerTask,
  LaunchPlan,
  LaunchPlanGroup,
  notice,
  NotificationTarget,
  Run,
  Workflow,
  WorkflowController,
  z,
  type EmailOptions,
  type Notifications,
  type RunDefaults,
} from 'cdk8s-workflows';
import type { Construct } from 'constructs';
import { describe, expect, it, vi } from 'vitest';
import { readNotifications } from '../../lib/controller/notifications/read-notifications.ts';
import { annotations } from '../../lib/graph/labels.ts';
import type { NotificationDocument } from '../../lib/graph/notifications.ts';
import { find, fleetOf, synth, synthProblems, type Manifest } from './support.ts';

const chat = NotificationTarget.slack({ url: { secret: 'alerts', key: 'slack' } });
const events = NotificationTarget.cloudEvents({
  url: 'https://events.test/runs',
  headers: { authorization: { secret: 'events', key: 'token' } },
});

function workflowOf(scope: Construct, runDefaults?: RunDefaults) {
  const task = new ContainerTask(scope, 'load', { image: 'etl:1', command: ['etl'], inputs: { site: z.string() } });
  const workflow = new Workflow(scope, 'etl', { inputs: { site: z.string() }, runDefaults }, ({ inputs, step }) => {
    step('load', task, { site: inputs.site });
  });
  return { task, workflow };
}

/** What the runs that a manifest makes carry. */
function toldOf({ metadata, spec, kind }: Manifest): NotificationDocument | undefined {
  const job = kind === 'CronJob' ? (spec.jobTemplate.metadata as Manifest['metadata']) : metadata;
  const text = job.annotations?.[annotations.notifications];
  return text === undefined ? undefined : (JSON.parse(text) as NotificationDocument);
}

describe('the notifications of a plan', () => {
  it('go with its runs, as the controller reads them', () => {
    const manifests = synth((chart) => {
      new LaunchPlan(chart, 'p', {
        workflow: workflowOf(chart).workflow,
        runUrl: 'https://jobs.test/{namespace}/{run}',
        notifications: {
          oncall: {
            on: ['failed', 'recovered', { late: Duration.minutes(10) }, { runningLong: Duration.hours(2) }],
            reasons: ['StepFailed', 'RunTimeout'],
            consecutiveFailures: 2,
            text: '{run}: {reason} {url}',
            retryFor: Duration.hours(1),
            to: chat,
          },
          audit: { on: ['succeeded', 'failed', 'cancelled'], to: events },
        },
      });
    });
    const plan = find(manifests, 'CronJob');
    expect(toldOf(plan)).toEqual({
      runUrl: 'https://jobs.test/{namespace}/{run}',
      notifications: {
        oncall: {
          on: ['failed', 'recovered'],
          lateAfterSeconds: 600,
          longAfterSeconds: 7200,
          reasons: ['StepFailed', 'RunTimeout'],
          consecutiveFailures: 2,
          text: '{run}: {reason} {url}',
          retryForSeconds: 3600,
          to: { kind: 'slack', url: { secret: 'alerts', key: 'slack' } },
        },
        audit: {
          on: ['succeeded', 'failed', 'cancelled'],
          to: {
            kind: 'cloudEvents',
            url: 'https://events.test/runs',
            headers: { authorization: { secret: 'events', key: 'token' } },
          },
        },
      },
    });
    expect(readNotifications(plan.spec.jobTemplate)).toEqual(toldOf(plan));
  });

  it('are those of its fleet, workflow and group by their names, but for those that it takes off', () => {
    const tell = (...on: readonly ('succeeded' | 'failed' | 'recovered')[]) => ({ on, to: chat });
    const manifests = fleetOf({ notifications: { platform: tell('failed'), audit: tell('succeeded') } }, (chart) => {
      const { workflow, task } = workflowOf(chart, { notifications: { audit: tell('failed') } });
      new LaunchPlanGroup(chart, 'sites', {
        workflow,
        over: { site: ['a', 'b'] },
        notifications: { team: tell('recovered') },
        overrides: { b: { notifications: { platform: false, team: tell('failed', 'recovered') } } },
      });
      new LaunchPlan(chart, 'single', { task, fixedInputs: { site: 'a' } });
      new Run(chart, 'now', { workflow, inputs: { site: 'a' }, name: 'now' });
    });
    const told = (kind: string, name: RegExp) => {
      const { cluster, notifications = {} } = toldOf(find(manifests, kind, name)) ?? {};
      return [cluster, Object.fromEntries(Object.entries(notifications).map(([key, { on }]) => [key, on]))];
    };
    expect(told('CronJob', /etl-a/)).toEqual(['eu', { platform: ['failed'], audit: ['failed'], team: ['recovered'] }]);
    expect(told('CronJob', /etl-b/)).toEqual(['eu', { audit: ['failed'], team: ['failed', 'recovered'] }]);
    expect(told('CronJob', /single/)).toEqual(['eu', { platform: ['failed'], audit: ['succeeded'] }]);
    expect(told('Job', /now/)).toEqual(['eu', { platform: ['failed'], audit: ['failed'] }]);
    expect(find(manifests, 'CronJob', /etl-b/).metadata.annotations![annotations.settingOrigins]).toContain(
      '"notifications.audit":"workflow"',
    );
  });

  it('are only those that are about it', () => {
    const tell = (more: object) => ({ on: ['failed'] as const, to: chat, ...more });
    const notifications: Notifications = {
      a: tell({ plans: ['etl-*'] }),
      b: tell({ plans: ['etl-a', 'other'] }),
      c: tell({ labels: { matchLabels: { tier: 'high' } } }),
      d: tell({
        labels: { matchExpressions: [{ key: 'cdk8s-workflows.dev/group', operator: 'In', values: ['sites'] }] },
      }),
      e: tell({ plans: ['tl-a', 'etl.a'] }),
    };
    const manifests = synth((chart) => {
      const { workflow } = workflowOf(chart, { notifications });
      new LaunchPlanGroup(chart, 'sites', {
        workflow,
        over: { site: ['a', 'b'] },
        overrides: { b: { labels: { tier: 'high' } } },
      });
      new LaunchPlan(chart, 'none', { workflow });
    });
    const names = (name: RegExp) => Object.keys(toldOf(find(manifests, 'CronJob', name))?.notifications ?? {});
    expect(names(/etl-a/)).toEqual(['a', 'b', 'd']);
    expect(names(/etl-b/)).toEqual(['a', 'c', 'd']);
    expect(names(/none/)).toEqual([]);
  });

  it('that are wrong are told all at once', () => {
    const wrong = {
      Team: { on: [], to: chat },
      twice: { on: ['failed', 'failed', 'ended'], to: chat, text: '{rum} {', reasons: ['Stepfailed'] },
      bare: { on: ['late', { runningLong: Duration.seconds(0) }], consecutiveFailures: 2 },
      url: {
        on: ['recovered'],
        consecutiveFailures: 0,
        retryFor: Duration.seconds(0),
        to: NotificationTarget.cloudEvents({ url: 'ftp://a.test', headers: { Host: 'b', 'a b': 'c' } }),
      },
    } as unknown as Notifications;
    const problems = synthProblems((chart) => {
      const { workflow } = workflowOf(chart);
      new LaunchPlan(chart, 'p', {
        workflow,
        notifications: wrong,
        runUrl: 'jobs.test/{url}',
        successfulRunsHistoryLimit: 0,
      });
    });
    expect(problems).toEqual([
      '[p] notifications.Team: the name "Team" must be lower-case letters, digits and "-", and begin and end with a letter or digit',
      '[p] notifications.Team.on: is empty: nothing would ever be told; name an event',
      '[p] notifications.twice.on[1]: "failed" is there twice; keep one',
      '[p] notifications.twice.on[2]: "ended" is no event; known are succeeded, failed, cancelled, recovered, late, runningLong',
      '[p] notifications.twice.reasons[0]: "Stepfailed" is no reason; did you mean "StepFailed"?',
      '[p] notifications.twice.text: "{rum}" is no field; did you mean "run"?',
      '[p] notifications.twice.text: has a single "{": "{rum} {"; write it twice',
      '[p] notifications.bare.on[0]: "late" needs a threshold; write { late: Duration.minutes(10) }',
      '[p] notifications.bare.on[1].runningLong: must be at least a second, not PT0S',
      `[p] notifications.bare.consecutiveFailures: says nothing without 'failed' or 'recovered'`,
      '[p] notifications.bare.to: is missing; give it a NotificationTarget',
      '[p] successfulRunsHistoryLimit: must be at least 1 for the notification "bare", which asks for the run before',
      '[p] notifications.url.consecutiveFailures: must be a whole number from 1, not 0',
      '[p] notifications.url.retryFor: must be at least a second, not PT0S',
      '[p] notifications.url.to.url: "ftp://a.test" is no http: or https: URL',
      '[p] notifications.url.to.headers.Host: is set by the controller; leave it out',
      '[p] notifications.url.to.headers.a b: is no name of a header',
      '[p] successfulRunsHistoryLimit: must be at least 1 for the notification "url", which asks for the run before',
      '[p] runUrl: "jobs.test/{url}" is no http: or https: URL',
      expect.stringMatching(/^\[p\] runUrl: "\{url\}" is no field; /),
    ]);
  });

  it('may launch a plan with inputs that are checked', () => {
    const define = (chart: Construct, inputs: object, more: object = {}) => {
      const handler = new Workflow(chart, 'handler', {
        inputs: { run: z.string(), failures: z.int(), team: z.string(), note: z.string().optional() },
      });
      const plan = new LaunchPlan(chart, 'handle', { workflow: handler, fixedInputs: { team: 'data' } });
      const to = NotificationTarget.launch(plan, inputs);
      new LaunchPlan(chart, 'p', {
        workflow: workflowOf(chart).workflow,
        notifications: { h: { on: ['failed'], to } },
        ...more,
      });
    };
    const manifests = synth((chart) => define(chart, { run: notice.run, failures: notice.failures, note: 'x' }));
    expect(toldOf(find(manifests, 'CronJob', /^p$/))!.notifications.h!.to).toEqual({
      kind: 'launch',
      plan: 'handle',
      inputs: { run: { field: 'run' }, failures: { field: 'failures' }, note: { value: 'x' } },
    });
    const { reason } = notice;
    const wrong = { rum: reason, failures: reason, team: 'x', note: 3 };
    expect(synthProblems((chart) => define(chart, wrong, { namespace: 'other' }))).toEqual(
      expect.arrayContaining([
        '[p] notifications.h.to: launch plan "handle" belongs to another namespace or app; name one that is beside each plan with planNamed(...)',
        '[p] notifications.h.to.inputs.rum: launch plan "handle" has no such input; did you mean "run"?',
        '[p] notifications.h.to.inputs.failures: is the field reason, and the input must be integer',
        '[p] notifications.h.to.inputs.team: is fixed by launch plan "handle"; leave it out',
        expect.stringMatching(/^\[p\] notifications\.h\.to\.inputs\.note: must be string/),
        '[p] notifications.h.to.inputs.run: is missing; launch plan "handle" needs it',
      ]),
    );
  });

  it('may go by mail, with a login from a Secret', () => {
    const target = (
      options: Partial<Omit<EmailOptions, 'relay'>> & { readonly relay?: Partial<EmailOptions['relay']> },
    ) =>
      NotificationTarget.email({
        from: 'Jobs <jobs@acme.test>',
        to: ['data@acme.test'],
        ...options,
        relay: { host: 'smtp.acme.test', ...options.relay },
      });
    const password = { secret: 'alerts', key: 'smtp' };
    const defined = (to: NotificationTarget) => (chart: Construct) =>
      void new LaunchPlan(chart, 'p', {
        workflow: workflowOf(chart).workflow,
        notifications: { m: { on: ['failed'], to } },
      });
    const manifests = synth(defined(target({ relay: { login: { user: 'jobs', password } }, subject: '{plan}' })));
    expect(toldOf(find(manifests, 'CronJob'))!.notifications.m!.to).toEqual({
      kind: 'email',
      relay: { host: 'smtp.acme.test', port: 587, tls: 'starttls', login: { user: 'jobs', password } },
      from: 'Jobs <jobs@acme.test>',
      to: ['data@acme.test'],
      subject: '{plan}',
    });
    expect(readNotifications(find(manifests, 'CronJob').spec.jobTemplate)).toEqual(toldOf(find(manifests, 'CronJob')));
    const wrong = target({
      relay: { host: 'smtp://acme.test', port: 0, tls: 'none', login: { user: 'jobs', password } },
      from: 'jobs',
      to: ['a@b, c@d', 'Data <data@acme.test>'],
      subject: '{pla}',
    });
    expect(synthProblems(defined(wrong))).toEqual([
      '[p] notifications.m.to.relay.host: "smtp://acme.test" is no host; give its name or address alone',
      '[p] notifications.m.to.relay.port: must be a whole number from 1 to 65535, not 0',
      '[p] notifications.m.to.relay.login: would send the password for all to read; use TLS',
      '[p] notifications.m.to.from: "jobs" is no address',
      '[p] notifications.m.to.to[0]: "a@b, c@d" is no address',
      '[p] notifications.m.to.subject: "{pla}" is no field; did you mean "plan"?',
    ]);
    expect(synthProblems(defined(target({ to: [] })))).toEqual([
      '[p] notifications.m.to.to: is empty: nobody would get it; name an address',
    ]);
  });

  it.each([
    [{ url: 'https://hooks.slack.test/services/T00000000/B00000000/aB3dEfGhIjKlMnOpQrStUvWx' }, ['to.url']],
    [{ url: 'https://me:secret@events.test' }, ['to.url']],
    [{ url: 'https://events.test?access_token=a' }, ['to.url']],
    [
      { url: 'https://events.test', headers: { Authorization: 'Bearer a', 'x-team': 'data' } },
      ['to.headers.Authorization'],
    ],
    [{ url: 'https://events.test/api/v1/notifications-of-the-data-team' }, []],
    [{ url: { secret: 'a', key: 'b' }, headers: { 'x-api-key': { secret: 'a', key: 'c' } } }, []],
  ])('that go to %j warn once of what should be a Secret', (options, expected) => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    try {
      const to = NotificationTarget.cloudEvents(options);
      const chart = new Chart(new App(), `warn-${expected.length}-${JSON.stringify(options).length}`);
      const { workflow } = workflowOf(chart, { notifications: { team: { on: ['failed'], to } } });
      for (const id of ['p', 'q']) new LaunchPlan(chart, id, { workflow });
      chart.node.findAll().forEach((each) => each.node.validate());
      const lines = warn.mock.calls.map(([line]) => /notifications\.team\.(\S+):/.exec(line as string)![1]);
      expect(lines).toEqual(expected);
    } finally {
      warn.mockRestore();
    }
  });
});

describe('the controller of an app', () => {
  const rulesOf = (manifests: readonly Manifest[], kind: string) =>
    (find(manifests, kind, /cdk8s-workflows-controller$/).rules as { resources: string[]; resourceNames?: string[] }[])
      .filter(({ resources }) => resources.includes('secrets'))
      .map(({ resourceNames }) => resourceNames);

  it('may read the Secrets that notifications name, wherever it stands, and no others', () => {
    const define = (props: object, namespace?: string) => {
      const chart = new Chart(new App(), 'c');
      new WorkflowController(chart, 'controller', props);
      const there = namespace === undefined ? chart : new Chart(chart, 'there', { namespace });
      const notifications = { a: { on: ['failed'] as const, to: chat }, b: { on: ['failed'] as const, to: events } };
      new LaunchPlan(there, 'p', { workflow: workflowOf(there).workflow, notifications });
      return Testing.synth(chart) as Manifest[];
    };
    expect(rulesOf(define({}), 'Role')).toEqual([['alerts', 'events']]);
    expect(rulesOf(define({ notificationSecrets: ['mail'] }), 'Role')).toEqual([['alerts', 'events', 'mail']]);
    expect(rulesOf(define({}, 'other'), 'Role')).toEqual([]);
    expect(rulesOf(define({ scope: 'cluster' }, 'other'), 'ClusterRole')).toEqual([['alerts', 'events']]);
  });

  it('may read none when there are none', () => {
    const manifests = synth((chart) => new WorkflowController(chart, 'controller'));
    expect(rulesOf(manifests, 'Role')).toEqual([]);
  });
});
