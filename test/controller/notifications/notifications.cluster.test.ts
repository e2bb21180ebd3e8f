import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../../lib/controller/objects.ts';
import { annotations, labels, MANAGED_BY, notifiedPrefix } from '../../../lib/graph/labels.ts';
import type { NotificationDocument, NotificationTo, WireNotification } from '../../../lib/graph/notifications.ts';
import { jobs, secrets } from '../../../lib/kube/resources.ts';
import { annotationPrefix } from '../../cluster/behaviour.ts';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import { eventually } from '../../cluster/eventually.ts';
import { defaultTiming } from '../../../lib/controller/worker-context.ts';
import { Relay } from './mail-relay.ts';
import { Receiver } from './receiver.ts';
import { Bench, cronJob, run, workflow, type RunningController, type TestWorkflow } from '../support.ts';

let cluster: ControlPlane;
let bench: Bench;
let controller: RunningController;
let receiver: Receiver;

const timing = { ...defaultTiming, notifyMs: 50 };

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'notifications', nodes: 1 });
  receiver = await Receiver.start((response, { path }, number) => {
    if (path === '/silent') return;
    if (path === '/flaky' && number <= 2) response.statusCode = 500;
    if (path === '/gone') response.statusCode = 404;
    if (path === '/moved') response.writeHead(302, { location: '/elsewhere' });
    response.end('whatever a server says');
  });
  bench = await Bench.create(cluster.kubeconfigPath, 'notifications');
  controller = await bench.controller({ timing });
});

afterAll(async () => {
  await bench?.close();
  await receiver?.stop();
  await cluster?.stop();
});

const good = workflow('good', [{ name: 'work', sim: { 'run-ms': '50' } }]);
const bad = workflow('bad', [{ name: 'work', sim: { 'exit-code': '3' } }]);
const long = workflow('long', [{ name: 'wait', sim: { stuck: 'Running' } }]);

const slack = (path: string): NotificationTo => ({ kind: 'slack', url: receiver.url(path) });

/** A run of a plan that tells somebody. */
async function launch(
  of: TestWorkflow,
  name: string,
  wanted: Partial<WireNotification> & Pick<WireNotification, 'to'>,
  { plan = name, spec = {} }: { readonly plan?: string; readonly spec?: Record<string, never | boolean> } = {},
): Promise<Job> {
  const document: NotificationDocument = {
    cluster: 'test',
    runUrl: 'https://jobs.test/{namespace}/{run}',
    notifications: { team: { on: [], ...wanted } },
  };
  const made = run(of, name, { annotations: { [annotations.notifications]: JSON.stringify(document) }, spec });
  await bench.apply(...of.manifests);
  const owned = { ...made.metadata.labels, [labels.plan]: plan };
  return bench.client.create<Job>(jobs, { ...made, metadata: { ...made.metadata, labels: owned } });
}

/** What the Job says of deliveries, by event. */
async function noted(name: string): Promise<Readonly<Record<string, string>>> {
  const found = Object.entries((await bench.job(name)).metadata.annotations ?? {});
  return Object.fromEntries(
    found
      .filter(([key]) => key.startsWith(notifiedPrefix))
      .map(([key, value]) => [key.slice(notifiedPrefix.length), value]),
  );
}

const aTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string;

/** Waits until all that is to be told of a run is. */
function settled(name: string, expected: Readonly<Record<string, unknown>>): Promise<void> {
  return eventually(async () => expect(await noted(name)).toEqual(expected), 30_000);
}

describe('a chat', () => {
  it('is told of a success, with a link to the run', async () => {
    await launch(good, 'good-1', { on: ['succeeded', 'failed', 'recovered'], to: slack('/good') });
    await settled('good-1', { 'succeeded.team': aTime });
    const [{ body, headers }, ...more] = receiver.at('/good') as [(typeof receiver.received)[0]];
    expect(more).toEqual([]);
    expect(body.text).toMatch(
      new RegExp(`^Run good-1 succeeded after \\d+s\\.\nhttps://jobs\\.test/${bench.namespace}/good-1$`),
    );
    expect(headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8' });
    expect(headers['idempotency-key']).toBe(`${(await bench.job('good-1')).metadata.uid}.succeeded`);
  });

  it('is told of failures, and of the first success after them', async () => {
    const wanted = {
      on: ['failed', 'recovered'] as const,
      to: slack('/plan'),
      text: '{event} {run} {failures}: {reason}',
    };
    for (const [of, name, expected] of [
      [good, 'plan-1', {}],
      [bad, 'plan-2', { 'failed.team': aTime }],
      [bad, 'plan-3', { 'failed.team': aTime }],
      [good, 'plan-4', { 'recovered.team': aTime }],
      [good, 'plan-5', {}],
    ] as const) {
      await launch(of, name, wanted, { plan: 'plan' });
      await bench.finished(name);
      await settled(name, expected);
    }
    expect(receiver.at('/plan').map(({ body }) => body.text)).toEqual([
      'failed plan-2 1: StepFailed',
      'failed plan-3 2: StepFailed',
      'recovered plan-4 2: Completed',
    ]);
  });

  it('is told again when it could not listen, which is told on the run', async () => {
    await launch(good, 'flaky', { on: ['succeeded'], to: slack('/flaky') });
    await settled('flaky', { 'succeeded.team': aTime });
    const got = receiver.at('/flaky');
    expect(got.length).toBeGreaterThanOrEqual(3);
    expect(new Set(got.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    await eventually(async () =>
      expect(await bench.events('flaky')).toContain(
        'NotificationFailed: Notification team (succeeded) could not be delivered and is tried again: HTTP 500',
      ),
    );
  });

  it.each([
    ['gone', 'HTTP 404'],
    ['moved', 'HTTP 302: redirects are not followed'],
  ])('that is %s is given up, which the Job and an event say, but not what the server answered', async (path, why) => {
    await launch(bad, path, { on: ['failed'], to: slack(`/${path}`) });
    await settled(path, { 'failed.team': `given up: ${why}` });
    expect(receiver.at(`/${path}`)).toHaveLength(1);
    expect(receiver.at('/elsewhere')).toEqual([]);
    await eventually(async () =>
      expect(await bench.events(path)).toContain(
        `NotificationGivenUp: Notification team (failed) could not be delivered and is given up: ${why}`,
      ),
    );
  });

  it('that never answers holds up no run', async () => {
    await launch(good, 'silent', { on: ['succeeded'], to: slack('/silent') });
    await eventually(() => expect(receiver.at('/silent').length).toBeGreaterThan(0));
    expect((await bench.finished('silent')).status?.conditions?.at(-1)?.reason).toBe('Completed');
    expect(await noted('silent')).toEqual({});
    await bench.client.delete(jobs, 'silent', { propagationPolicy: 'Background' });
  });
});

it('a program gets a CloudEvent, with headers from a Secret', async () => {
  await bench.client.create(secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'alerts' },
    stringData: { url: receiver.url('/events'), token: 'Bearer s3cret\n' },
  });
  await launch(bad, 'told', {
    on: ['failed'],
    to: {
      kind: 'cloudEvents',
      url: { secret: 'alerts', key: 'url' },
      headers: { authorization: { secret: 'alerts', key: 'token' } },
    },
  });
  await settled('told', { 'failed.team': aTime });
  const [{ headers, body }] = receiver.at('/events') as [(typeof receiver.received)[0]];
  const { metadata, status } = await bench.job('told');
  expect(headers).toMatchObject({
    'content-type': 'application/cloudevents+json; charset=utf-8',
    authorization: 'Bearer s3cret',
  });
  expect(body).toMatchObject({
    specversion: '1.0',
    id: `${metadata.uid}.failed`,
    source: `/clusters/test/namespaces/${bench.namespace}/jobs/told`,
    type: 'dev.cdk8s-workflows.run.failed',
    subject: 'told',
    time: status!.conditions!.at(-1)!.lastTransitionTime,
    data: { event: 'failed', run: 'told', phase: 'Failed', reason: 'StepFailed', failures: 1, cluster: 'test' },
  });
});

it('people get a mail', async () => {
  const relay = await Relay.start();
  try {
    const through = { host: '127.0.0.1', port: relay.port, tls: 'none' } as const;
    const to: NotificationTo = { kind: 'email', relay: through, from: 'jobs@acme.test', to: ['data@acme.test'] };
    await launch(bad, 'mailed', { on: ['failed'], to });
    await settled('mailed', { 'failed.team': aTime });
    expect(relay.mails).toHaveLength(1);
    expect(relay.mails[0]!.to).toEqual(['data@acme.test']);
    expect(relay.mails[0]!.text).toContain('Subject: Run mailed: failed\r\n');
  } finally {
    await relay.stop();
  }
});

describe('a workflow', () => {
  const text = { type: 'string' } as const;
  const handler = workflow('handler', [{ name: 'handle', inputs: { run: { input: 'run' } } }], {
    inputs: { properties: { run: text, failures: { type: 'integer' }, team: text }, required: ['run', 'failures'] },
  });
  const told = (inputs: Extract<NotificationTo, { kind: 'launch' }>['inputs'], plan = 'handler') =>
    ({ on: ['failed'], to: { kind: 'launch', plan, inputs } }) as const;
  const runsOf = async (plan: string) =>
    (await bench.client.list<Job>(jobs, { labelSelector: `${labels.plan}=${plan},!${labels.step}` })).items;

  it('gets a run for each event, with its inputs filled, and that run launches no other', async () => {
    const wanted = told({ run: { field: 'run' }, failures: { field: 'failures' }, team: { value: 'data' } });
    const plan = cronJob(handler, 'handler');
    const { jobTemplate } = plan.spec as { jobTemplate: { metadata: Job['metadata'] } };
    // It would tell itself of its own failures.
    jobTemplate.metadata.annotations![annotations.notifications] = JSON.stringify({
      notifications: {
        again: { ...wanted, on: ['succeeded', 'failed'] },
        team: { on: ['succeeded'], to: slack('/handler') },
      },
    });
    jobTemplate.metadata.labels = { ...jobTemplate.metadata.labels, [labels.plan]: 'handler' };
    delete jobTemplate.metadata.annotations![annotations.inputs];
    await bench.apply(...handler.manifests, plan);
    await launch(bad, 'broken', wanted);
    await settled('broken', { 'failed.team': aTime });
    const [started, ...others] = await runsOf('handler');
    expect(others).toEqual([]);
    const { name, annotations: notes = {} } = started!.metadata;
    expect(JSON.parse(notes[annotations.inputs]!)).toEqual({ run: 'broken', failures: 1, team: 'data' });
    expect(notes[annotations.launchedFor]).toBe('broken.failed');
    await bench.finished(name);
    await settled(name, { 'succeeded.team': aTime });
    expect(await runsOf('handler')).toHaveLength(1);
  });

  it.each([
    ['unfit', told({ run: { value: 3 }, other: { value: 'a' } }), 'inputs.run: must be string, but is 3'],
    ['unknown', told({ run: { field: 'run' }, failures: { field: 'reason' } }), 'inputs.failures'],
  ])('with inputs that do not fit gets none: %s', async (name, wanted, why) => {
    await launch(bad, name, wanted);
    await settled(name, { 'failed.team': expect.stringContaining(why) });
    expect(await runsOf('handler')).toHaveLength(1);
  });

  it('that is not there yet is waited for', async () => {
    await launch(bad, 'before', told({ run: { field: 'run' }, failures: { value: 1 } }, 'coming'));
    await eventually(async () =>
      expect(await bench.events('before')).toContain(
        'NotificationFailed: Notification team (failed) could not be delivered and is tried again: there is no launch plan coming',
      ),
    );
    await bench.apply(cronJob(handler, 'coming'));
    await settled('before', { 'failed.team': aTime });
  });
});

it('waits for a Secret that is not there yet', async () => {
  const to = { kind: 'slack', url: { secret: 'later', key: 'url' } } as const;
  await launch(good, 'early', { on: ['succeeded'], to });
  await eventually(async () =>
    expect(await bench.events('early')).toContain(
      'NotificationFailed: Notification team (succeeded) could not be delivered and is tried again: there is no Secret later',
    ),
  );
  await bench.client.create(secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'later' },
    stringData: { url: receiver.url('/later') },
  });
  await settled('early', { 'succeeded.team': aTime });
});

it('tells of a run that does not begin in time, and of one that does not end in time', async () => {
  await launch(good, 'late', { lateAfterSeconds: 1, to: slack('/late') }, { spec: { suspend: true } });
  await settled('late', { 'late.team': aTime });
  expect(receiver.at('/late')[0]!.body.text).toMatch(/^Run late is late: it was due at .*Z\.\n/);
  await launch(long, 'long', { longAfterSeconds: 1, to: slack('/long') });
  await settled('long', { 'runningLong.team': aTime });
  await bench.annotate('long', annotations.cancel, 'Now');
  await bench.finished('long');
  expect(await noted('long')).toEqual({ 'runningLong.team': aTime });
});

it('tells of the runs of a single task, which Kubernetes runs by itself', async () => {
  const notifications: NotificationDocument = { notifications: { team: { on: ['failed'], to: slack('/task') } } };
  await bench.client.create(jobs, {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: 'task-1',
      labels: { [labels.managedBy]: MANAGED_BY, [labels.plan]: 'task' },
      annotations: { [annotations.notifications]: JSON.stringify(notifications) },
    },
    spec: {
      backoffLimit: 0,
      template: {
        metadata: { annotations: { [`${annotationPrefix}exit-code`]: '1' } },
        spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'task:1' }] },
      },
    },
  });
  await settled('task-1', { 'failed.team': aTime });
  expect(receiver.at('/task')[0]!.body.text).toMatch(/^Run task-1 failed after \d+s: BackoffLimitExceeded\. /);
});

it('a controller that takes over tells of no recovery twice, when the run that it was is gone', async () => {
  const wanted = { on: ['recovered'] as const, to: slack('/recovery') };
  for (const [of, name] of [
    [bad, 'recovery-1'],
    [good, 'recovery-2'],
    [good, 'recovery-3'],
  ] as const) {
    await launch(of, name, wanted, { plan: 'recovery' });
    await eventually(async () =>
      expect((await bench.job(name)).metadata.annotations).toHaveProperty([annotations.failuresBefore]),
    );
  }
  await settled('recovery-2', { 'recovered.team': aTime });
  await controller.stop();
  await bench.client.delete(jobs, 'recovery-2', { propagationPolicy: 'Background' });
  controller = await bench.controller({ timing });
  // When it has counted those before another run, it has looked at them.
  await launch(bad, 'recovery-4', wanted, { plan: 'recovery' });
  await bench.finished('recovery-4');
  await eventually(async () =>
    expect((await bench.job('recovery-4')).metadata.annotations?.[annotations.failuresBefore]).toBe('0'),
  );
  expect(receiver.at('/recovery').map(({ body }) => body.text)).toEqual([
    expect.stringMatching(/^Back to normal: run recovery-2 succeeded after 1 failed in a row\./),
  ]);
});

it('a controller that takes over delivers what the one before did not note, and nothing else', async () => {
  await launch(good, 'noted', { on: ['succeeded'], to: slack('/noted') });
  await settled('noted', { 'succeeded.team': aTime });
  const answer = receiver.answer;
  // It dies when the receiver has the message, and before it hears so.
  const died = Promise.withResolvers<void>();
  receiver.answer = (response, { path }) => {
    if (path !== '/killed') return void response.end();
    void controller.stop().then(died.resolve, died.reject);
  };
  await launch(good, 'killed', { on: ['succeeded'], to: slack('/killed') });
  await died.promise;
  receiver.answer = answer;
  expect(await noted('killed')).toEqual({});
  controller = await bench.controller({ timing });
  await settled('killed', { 'succeeded.team': aTime });
  const got = receiver.at('/killed');
  expect(got).toHaveLength(2);
  expect(got[0]!.headers['idempotency-key']).toBe(got[1]!.headers['idempotency-key']);
  expect(receiver.at('/noted')).toHaveLength(1);
});
