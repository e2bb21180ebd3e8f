import { Chart } from 'cdk8s';
import { ContainerTask, Fleet, LaunchPlan, Schedule, Workflow } from 'cdk8s-workflows';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Controller } from '../../lib/controller/controller.ts';
import type { ConfigMap, Job } from '../../lib/controller/objects.ts';
import { labels, SCHEDULED_AT } from '../../lib/graph/labels.ts';
import { planRecordName } from '../../lib/graph/object-names.ts';
import { decodePlanRecord, encodePlanRecord } from '../../lib/graph/plan-record.ts';
import { scheduleText } from '../../lib/graph/taken-over.ts';
import { timetableOf, timesAfter } from '../../lib/graph/timetable.ts';
import { KubeClient } from '../../lib/kube/client.ts';
import type { KubeObject } from '../../lib/kube/objects.ts';
import { configMaps, cronJobs, jobs } from '../../lib/kube/resources.ts';
import type { PlanCronJob } from '../../lib/runs/run-objects.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { writeFleetConfig } from '../cluster/kubeconfig.ts';
import { cliFor } from './cluster-cli.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const now = Date.now();

/**
 * Two schedules whose times one cron expression cannot tell apart from others: one fires in every other hour, and the other half an hour later in those
 * between. The last time of their union was a quarter of an hour ago, was none of theirs, and the next one is as far away. It is half an hour from one
 * to the next, for of an irregular one Kubernetes may not find the last. (pkg/controller/cronjob/utils.go: mostRecentScheduleTime)
 */
function twoSchedules(): readonly string[] {
  const last = new Date(now - 15 * MINUTE);
  const minute = last.getUTCMinutes();
  const hours = (parity: number) =>
    Array.from({ length: 24 }, (_, hour) => hour).filter((hour) => (hour - last.getUTCHours() + 24) % 2 === parity);
  return [`${minute} ${hours(1).join(',')} * * *`, `${(minute + 30) % 60} ${hours(0).join(',')} * * *`];
}

let eu: ControlPlane;
let us: ControlPlane;
let directory: string;
let cli: (...args: string[]) => ReturnType<ReturnType<typeof cliFor>>;
const clients = {} as { eu: KubeClient; us: KubeClient };
const stop = new AbortController();
const running: Promise<void>[] = [];

/** Up to when eu has dealt with the times of its plans. */
const left = new Date(Math.floor((now - 5 * HOUR) / MINUTE) * MINUTE);

beforeAll(async () => {
  // Nothing fires on eu, as if its controllers were down.
  [eu, us] = await Promise.all([
    startControlPlane({ name: 'schedules-eu', scheduler: false, controllerManager: false }),
    startControlPlane({ name: 'schedules-us', nodes: 1 }),
  ]);
  directory = await mkdtemp(join(tmpdir(), 'failover-schedules-'));
  const kubeconfig = join(directory, 'kubeconfig');
  await writeFleetConfig(kubeconfig, { eu: eu.kubeconfigPath, us: us.kubeconfigPath });
  cli = (...args) => cliFor(kubeconfig, '')(args, { cwd: directory });
  const outdir = join(directory, 'dist');
  const clusters = ['eu', 'us'].map((name) => ({ name, namespace: 'default' }));
  new Fleet({ clusters, outdir }, (app) => {
    const chart = new Chart(app, 'app');
    const load = new ContainerTask(chart, 'load', { image: 'etl:1', command: ['etl'] });
    const workflow = new Workflow(chart, 'etl', {}, ({ step }) => void step('load', load));
    const schedule = twoSchedules().map((each) => Schedule.cron(each));
    const common = { workflow, schedule, timeZone: 'Etc/UTC', cluster: 'eu', backups: ['us'] };
    new LaunchPlan(chart, 'all', { ...common, catchUp: 'all', successfulRunsHistoryLimit: 50 });
    new LaunchPlan(chart, 'latest', { ...common, catchUp: 'latest' });
  }).synth();
  for (const [name, plane] of [
    ['eu', eu],
    ['us', us],
  ] as const) {
    expect((await cli('apply', name, '--yes')).code).toBe(0);
    clients[name] = await KubeClient.fromKubeconfig({ kubeconfig: plane.kubeconfigPath, namespace: 'default' });
  }
  for (const name of ['all', 'latest']) await dealtWith(name);
});

afterAll(async () => {
  stop.abort();
  await Promise.all(running);
  await Promise.all(Object.values(clients).map((client) => client.close()));
  await Promise.all([eu?.stop(), us?.stop()]);
  await rm(directory, { recursive: true, force: true });
});

/** Has eu started a plan last at {@link left}, and noted it. */
async function dealtWith(name: string): Promise<void> {
  const plan = await planOn('eu', name);
  const patch = { status: { lastScheduleTime: left.toISOString().replace('.000Z', 'Z') } };
  await clients.eu.patch(cronJobs, name, patch, { type: 'merge', subresource: 'status' });
  const record = { through: left.getTime(), schedule: scheduleText(plan), skipped: [] };
  const owner = { apiVersion: 'batch/v1', kind: 'CronJob', name, uid: plan.metadata.uid! };
  await clients.eu.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: planRecordName(name), ownerReferences: [owner] },
    data: { record: encodePlanRecord(record) },
  });
}

function planOn(cluster: 'eu' | 'us', name: string): Promise<PlanCronJob & KubeObject> {
  return clients[cluster].get<PlanCronJob & KubeObject>(cronJobs, name);
}

/** The times of a plan after {@link left} that have passed when the test began, by its schedules. */
async function due(name: string): Promise<readonly string[]> {
  const times: string[] = [];
  for (const time of timesAfter(timetableOf((await planOn('us', name)).spec), left.getTime())) {
    if (time > now) break;
    times.push(textOf(time));
  }
  return times;
}

const textOf = (time: number) => new Date(time).toISOString().replace('.000Z', 'Z');

/** The times of the runs of a plan on a cluster. */
async function runsOn(cluster: 'eu' | 'us', name: string): Promise<readonly string[]> {
  const { items } = await clients[cluster].list<Job>(jobs, { labelSelector: `${labels.plan}=${name},!${labels.step}` });
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.annotations![SCHEDULED_AT]!)
    .sort();
}

async function through(cluster: 'eu' | 'us', name: string): Promise<number> {
  const { data = {} } = await clients[cluster].get<ConfigMap>(configMaps, planRecordName(name));
  return decodePlanRecord(data.record).through!;
}

function control(cluster: 'eu' | 'us'): void {
  running.push(new Controller({ client: clients[cluster] }).run(stop.signal));
}

// One after the other: there and back.
it('a backup makes exactly the times of all schedules that were missed, or the last of them, and none that was run', async () => {
  control('us');
  expect(await cli('failover', 'eu', '--to', 'us', '--yes')).toMatchObject({ code: 0 });
  const expected = await due('all');
  expect(expected.length).toBeGreaterThan(2);
  await eventually(async () => {
    expect(await through('us', 'all')).toBeGreaterThan(now - 30 * MINUTE);
    expect(await through('us', 'latest')).toBeGreaterThan(now - 30 * MINUTE);
    expect(await runsOn('us', 'all')).toEqual(expected);
    expect(await runsOn('us', 'latest')).toEqual(expected.slice(-1));
  }, 60_000);
  await eventually(async () => {
    const { items } = await clients.us.list<Job>(jobs, {});
    expect(items.map(({ status }) => status?.succeeded)).toEqual(items.map(() => 1));
  }, 60_000);
});

it('the cluster that is back makes none of the times again that the backup has run', async () => {
  expect(await cli('failback', 'eu', '--yes')).toMatchObject({ code: 0 });
  control('eu');
  for (const name of ['all', 'latest']) {
    const plan = await planOn('eu', name);
    const [next] = timesAfter(timetableOf(plan.spec), now);
    const { metadata, spec } = plan.spec.jobTemplate as unknown as Pick<Job, 'metadata' | 'spec'>;
    // As the CronJob controller makes it when that time comes.
    await clients.eu.create(jobs, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name: `${name}-${next! / MINUTE}`,
        labels: metadata.labels,
        annotations: { ...metadata.annotations, [SCHEDULED_AT]: textOf(next!) },
        ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name, uid: plan.metadata.uid!, controller: true }],
      },
      spec,
    });
    await eventually(async () => expect(await through('eu', name)).toBe(next));
    expect(await runsOn('eu', name)).toEqual([textOf(next!)]);
  }
});
