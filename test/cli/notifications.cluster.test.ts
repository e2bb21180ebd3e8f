import { App, Chart, Duration, Testing } from 'cdk8s';
import { ContainerTask, LaunchPlan, NotificationTarget, Schedule, Workflow, WorkflowController } from 'cdk8s-workflows';
import type { RunDefaults } from 'cdk8s-workflows';
import { WorkflowsClient } from 'cdk8s-workflows/client';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { plannedRun, type PlanObject } from '../../lib/controller/schedules/planned-run.ts';
import type { ConfigMap } from '../../lib/controller/objects.ts';
import { annotations, notifiedPrefix } from '../../lib/graph/labels.ts';
import { decodePlanRecord, PLAN_RECORD_KEY } from '../../lib/graph/plan-record.ts';
import { KubeClient } from '../../lib/kube/client.ts';
import { configMaps, cronJobs, jobs, resource, secrets } from '../../lib/kube/resources.ts';
import { annotationPrefix } from '../cluster/behaviour.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { Receiver } from '../controller/notifications/receiver.ts';
import { Bench, type RunningController } from '../controller/support.ts';
import { cliFor } from './cluster-cli.ts';

const ACCOUNT = 'cdk8s-workflows-controller';

let cluster: ControlPlane;
let bench: Bench;
let receiver: Receiver;
let client: KubeClient;
let controller: RunningController;
let directory: string;
let cli: ReturnType<typeof cliFor>;

/** A controller, and a plan whose runs fail, which tells a chat by a URL from a Secret. */
function manifests(namespace: string): string {
  const chart = new Chart(new App(), 'app', { namespace });
  new WorkflowController(chart, 'controller', { replicas: 0 });
  const podTemplate = { metadata: { annotations: { [`${annotationPrefix}exit-code`]: '3' } } };
  const load = new ContainerTask(chart, 'load', { image: 'etl:1', command: ['etl'], podTemplate });
  const to = NotificationTarget.slack({ url: { secret: 'alerts', key: 'url' } });
  const runDefaults: RunDefaults = {
    runUrl: 'https://jobs.test/{run}',
    notifications: { sites: { on: ['failed'], to, plans: ['site-*'], text: '{plan} {url}' } },
  };
  const workflow = new Workflow(chart, 'etl', { runDefaults }, ({ step }) => void step('load', load, {}));
  new LaunchPlan(chart, 'nightly', {
    workflow,
    notifications: { team: { on: ['failed', { late: Duration.hours(1) }], to, text: '{plan}: {message} {url}' } },
  });
  new LaunchPlan(chart, 'each-minute', {
    workflow,
    schedule: Schedule.cron('* * * * *'),
    suspended: true,
    notifications: { team: { on: ['failed', { late: Duration.seconds(5) }], to, text: '{event} {run}' } },
  });
  return (Testing.synth(chart) as unknown[]).map((object) => stringify(object)).join('---\n');
}

/** A client with a token that the API server made for the controller's account. */
async function clientOf(account: string): Promise<KubeClient> {
  const kubeconfig = join(directory, 'kubeconfig');
  await bench.kubeconfigOf(account, kubeconfig);
  return KubeClient.fromKubeconfig({ kubeconfig, namespace: bench.namespace });
}

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'notifications-cli', nodes: 1 });
  bench = await Bench.create(cluster.kubeconfigPath, 'told');
  receiver = await Receiver.start();
  directory = await mkdtemp(join(tmpdir(), 'notifications-'));
  cli = cliFor(cluster.kubeconfigPath, bench.namespace);
  await mkdir(join(directory, 'dist'));
  await writeFile(join(directory, 'dist/app.k8s.yaml'), manifests(bench.namespace));
  expect(await cli(['apply', 'dist', '--yes'], { cwd: directory })).toMatchObject({ code: 0 });
  for (const [name, path] of [
    ['alerts', '/chat'],
    ['private', '/private'],
  ])
    await bench.client.create(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: name! },
      stringData: { url: receiver.url(path!) },
    });
  client = await clientOf(ACCOUNT);
  controller = await bench.controller({ client });
});

afterAll(async () => {
  await bench?.close();
  await client?.close();
  await receiver?.stop();
  await cluster?.stop();
  await rm(directory, { recursive: true, force: true });
});

it('what a plan says is told by a controller with the permissions that synth gives it', async () => {
  expect(await cli(['launch', 'nightly', '--name', 'tonight'])).toMatchObject({ code: 0 });
  await eventually(() => expect(receiver.at('/chat')).toHaveLength(1), 30_000);
  expect(receiver.at('/chat')[0]!.body).toEqual({
    text: 'nightly: 1 of 1 steps failed: load (exit code 3) https://jobs.test/tonight',
  });
  await eventually(async () =>
    expect((await bench.job('tonight')).metadata.annotations).toHaveProperty([`${notifiedPrefix}failed.team`]),
  );
});

it('a rerun is told of too', async () => {
  expect(await cli(['rerun', 'tonight'])).toMatchObject({ code: 0 });
  await eventually(() => expect(receiver.at('/chat')).toHaveLength(2), 30_000);
  expect(receiver.at('/chat')[1]!.body.text).toContain('https://jobs.test/tonight-r1');
});

it('a plan that a program registers tells whom its workflow and the program say', async () => {
  await using program = await WorkflowsClient.connect({
    kubeconfig: bench.kubeconfigPath,
    namespace: bench.namespace,
    name: 'site-registry',
  });
  const url = receiver.url('/program');
  await program.plans.createOrUpdate({
    name: 'site-paris',
    workflow: 'etl',
    notifications: { program: { on: ['failed'], to: { kind: 'cloudEvents', url } } },
  });
  const described = await cli(['describe', 'plan', 'site-paris', '-o', 'json']);
  const { settings } = JSON.parse(described.stdout) as { settings: { name: string; setBy: string }[] };
  expect(
    settings.filter(({ name }) => /notifications|runUrl/.test(name)).map(({ name, setBy }) => [name, setBy]),
  ).toEqual([
    ['notifications.program', 'plan'],
    ['notifications.sites', 'workflow'],
    ['runUrl', 'workflow'],
  ]);
  const told = receiver.at('/chat').length;
  const run = await program.plan('site-paris').launch();
  await eventually(() => expect(receiver.at('/chat').length + receiver.at('/program').length).toBe(told + 2), 30_000);
  expect(receiver.at('/chat').at(-1)!.body).toEqual({ text: `site-paris https://jobs.test/${run.name}` });
  expect(receiver.at('/program')[0]!.body).toMatchObject({
    type: 'dev.cdk8s-workflows.run.failed',
    data: { run: run.name, plan: 'site-paris', workflow: 'etl', url: `https://jobs.test/${run.name}` },
  });
});

it('a Secret that no plan of the app names is not read, whatever a Job says', async () => {
  const { spec } = await bench.client.get<PlanObject>(cronJobs, 'nightly');
  const { metadata, ...job } = spec.jobTemplate;
  const to = { kind: 'slack', url: { secret: 'private', key: 'url' } };
  const document = JSON.stringify({ notifications: { spy: { on: ['failed'], to } } });
  const notes = { ...metadata!.annotations, [annotations.notifications]: document };
  await bench.client.create(jobs, {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'spy', labels: metadata!.labels!, annotations: notes },
    ...job,
  });
  await eventually(async () =>
    expect(await bench.events('spy')).toContain(
      'NotificationFailed: Notification spy (failed) could not be delivered and is tried again: the controller may not read the Secret private: see notificationSecrets',
    ),
  );
  expect(receiver.at('/private')).toEqual([]);
});

it('describe plan shows who is told', async () => {
  const { stdout } = await cli(['describe', 'plan', 'nightly', '-o', 'json']);
  const { settings } = JSON.parse(stdout) as { settings: { name: string; value: unknown; setBy: string }[] };
  expect(settings.filter(({ name }) => /notifications|runUrl/.test(name))).toEqual([
    {
      name: 'notifications.team',
      value: {
        on: ['failed'],
        lateAfterSeconds: 3600,
        text: '{plan}: {message} {url}',
        to: { kind: 'slack', url: { secret: 'alerts', key: 'url' } },
      },
      setBy: 'plan',
    },
    { name: 'runUrl', value: 'https://jobs.test/{run}', setBy: 'workflow' },
  ]);
});

it('a time at which no run can be made is told once, also by a controller that takes over, and not again when the run comes', async () => {
  const quotas = resource('v1', 'ResourceQuota', 'resourcequotas');
  const hard = { 'count/jobs.batch': '0' };
  await bench.client.create(quotas, {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'none' },
    spec: { hard },
  });
  await eventually(async () => expect(await bench.client.get(quotas, 'none')).toMatchObject({ status: { hard } }));
  expect(await cli(['activate', 'each-minute'])).toMatchObject({ code: 0 });
  const texts = () => receiver.at('/chat').map(({ body }) => String(body.text));
  const late = () => texts().filter((text) => text.startsWith('Plan each-minute is late: '));
  await eventually(() => expect(late()).toHaveLength(1), 120_000);
  const [, time] = /no run was made for (\S+)\.$/.exec(late()[0]!)!;
  const record = await eventually(async () => {
    const { data } = await bench.client.get<ConfigMap>(configMaps, 'each-minute-plan');
    return decodePlanRecord(data![PLAN_RECORD_KEY]);
  });
  expect(record.late).toEqual({ team: Date.parse(time!) });
  await controller.stop();
  controller = await bench.controller({ client });
  await eventually(() => expect(controller.controller.ready).toBe(true));
  expect(await cli(['deactivate', 'each-minute'])).toMatchObject({ code: 0 });
  await bench.client.delete(quotas, 'none');
  // As the CronJob controller would make it now.
  const plan = await bench.client.get<PlanObject>(cronJobs, 'each-minute');
  const made = plannedRun(plan, Date.parse(time!), undefined);
  const { name } = made.metadata!;
  await eventually(() => bench.client.create(jobs, made));
  await eventually(() => expect(texts()).toContain(`failed ${name}`), 60_000);
  expect(texts()).not.toContain(`late ${name}`);
  expect(late()).toHaveLength(1);
}, 300_000);
