import { afterAll, beforeAll, expect, it } from 'vitest';
import { annotations, labels, MANAGED_BY, NEVER, SCHEDULED_AT } from '../../../lib/graph/labels.ts';
import type { ConfigMap, Job } from '../../../lib/controller/objects.ts';
import type { KubeObject } from '../../../lib/kube/objects.ts';
import { decodePlanRecord } from '../../../lib/graph/plan-record.ts';
import { Reflector } from '../../../lib/kube/reflector.ts';
import { configMaps, cronJobs, jobs } from '../../../lib/kube/resources.ts';
import type { JsonObject } from '../../../lib/values/json.ts';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import { eventually } from '../../cluster/eventually.ts';
import { Bench, cronJob, workflow, type RunningController, type TestWorkflow } from '../support.ts';

let cluster: ControlPlane;
let bench: Bench;
let controller: RunningController;
const stop = new AbortController();
/** The times of the runs of each plan, in the order in which they began. */
const begun = new Map<string, string[]>();

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'catch-up', nodes: 1 });
  bench = await Bench.create(cluster.kubeconfigPath, 'catch-up');
  controller = await bench.controller();
  const seen = new Set<string>();
  const watch = new Reflector<Job>(bench.client, jobs, {
    labelSelector: `${labels.managedBy}=${MANAGED_BY}`,
    onChange: ({ metadata, status }) => {
      if (status?.startTime === undefined || seen.has(metadata.uid!)) return;
      seen.add(metadata.uid!);
      const plan = metadata.labels![labels.plan]!;
      begun.set(plan, [...(begun.get(plan) ?? []), metadata.annotations![SCHEDULED_AT]!]);
    },
  });
  watch.start(stop.signal);
});

afterAll(async () => {
  stop.abort();
  await bench?.close();
  await cluster?.stop();
});

const short = workflow('short', [{ name: 'work', sim: { 'run-ms': '50' } }]);

interface Given {
  readonly schedule: string;
  readonly notes: Readonly<Record<string, string>>;
  /** Up to when it is dealt with. */
  readonly through: string;
  /** As the record names the schedule. */
  readonly known: string;
}

/** A plan that is suspended, so that only the test fires it, and was at work before. */
async function plan(of: TestWorkflow, name: string, { schedule, notes, through, known }: Given): Promise<KubeObject> {
  await bench.apply(...of.manifests);
  const made = cronJob(of, name, { schedule, timeZone: 'Etc/UTC', successfulJobsHistoryLimit: 50 });
  const { jobTemplate, ...spec } = made.spec as { jobTemplate: { metadata: { labels: object; annotations: object } } };
  const metadata = {
    labels: { ...jobTemplate.metadata.labels, [labels.plan]: name },
    annotations: { ...jobTemplate.metadata.annotations, ...notes },
  };
  const created = await bench.client.create(cronJobs, {
    ...made,
    spec: { ...spec, jobTemplate: { ...jobTemplate, metadata } },
  });
  await bench.client.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: `${name}-plan`,
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name, uid: created.metadata.uid! }],
    },
    data: { record: JSON.stringify({ through, schedule: `${known} Etc/UTC` }) },
  });
  return created;
}

/** Has it fire for a time, as the CronJob controller does. */
async function fire({ metadata: { name, uid }, spec }: KubeObject, time: string): Promise<Job> {
  const { metadata, spec: jobSpec } = (spec as { jobTemplate: { metadata: Job['metadata']; spec: JsonObject } })
    .jobTemplate;
  return bench.client.create<Job>(jobs, {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: `${name}-${Date.parse(time) / 60_000}`,
      labels: metadata.labels,
      annotations: { ...metadata.annotations, [SCHEDULED_AT]: time },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name, uid: uid!, controller: true }],
    },
    spec: jobSpec,
  });
}

async function jobsOf(name: string): Promise<readonly Job[]> {
  const { items } = await bench.client.list<Job>(jobs, { labelSelector: `${labels.plan}=${name}` });
  return items;
}

async function through(name: string): Promise<string> {
  const { data = {} } = await bench.client.get<ConfigMap>(configMaps, `${name}-plan`);
  return (JSON.parse(data.record!) as { through: string }).through;
}

const began = (name: string, times: readonly string[]) => eventually(() => expect(begun.get(name)).toEqual(times));

const skippedOf = async (name: string) => (await bench.events(name)).filter((event) => event.startsWith('RunSkipped'));

const time = (minute: number) => `2026-01-01T00:${String(minute).padStart(2, '0')}:00Z`;

it('runs every time that was missed once, in order and one after the other, also when another controller goes on', async () => {
  const notes = {
    [annotations.catchUp]: 'all',
    [annotations.concurrency]: '{"policy":"Queue","max":1}',
  };
  const known = '*/10 * * * *';
  const made = await plan(short, 'all', { schedule: known, notes, through: time(0), known });
  const last = await fire(made, time(50));
  await eventually(() => expect(begun.get('all')?.length).toBeGreaterThanOrEqual(2));
  await controller.stop();
  controller = await bench.controller();
  await bench.finished(last.metadata.name);
  await began('all', [10, 20, 30, 40, 50].map(time));
  const names = (await jobsOf('all')).map(({ metadata }) => metadata.name).sort();
  expect(names).toEqual([10, 20, 30, 40, 50].map((minute) => `all-${Date.parse(time(minute)) / 60_000}`));
  expect(await through('all')).toBe('2026-01-01T00:50:00.000Z');
  // Nothing lies between this one and the last.
  await bench.finished((await fire(made, '2026-01-01T01:00:00Z')).metadata.name);
  await began('all', [...[10, 20, 30, 40, 50].map(time), '2026-01-01T01:00:00Z']);
});

it('makes up for nothing that is older than the starting deadline, and nothing of before the schedule was another', async () => {
  const notes = { [annotations.catchUp]: 'all', [annotations.concurrency]: '{"policy":"Allow"}' };
  const known = '*/10 * * * *';
  const late = await plan(short, 'late', { schedule: known, notes, through: time(0), known });
  const patch = { spec: { startingDeadlineSeconds: 60 } };
  await bench.client.patch(cronJobs, 'late', patch, { type: 'merge' });
  await bench.finished((await fire(late, time(50))).metadata.name);
  const other = await plan(short, 'other', { schedule: known, notes, through: time(0), known: '0 * * * *' });
  await bench.finished((await fire(other, time(50))).metadata.name);
  await began('late', [time(50)]);
  await began('other', [time(50)]);
});

it('makes no run of what a CronJob fires beside several schedules, and of the last missed time where there is one', async () => {
  const cron = ['0 6 * * *', '30 18 * * *'];
  const notes = {
    [annotations.schedules]: JSON.stringify({ cron, timeZone: 'Etc/UTC' }),
    [annotations.catchUp]: 'latest',
  };
  const given = { schedule: '0,30 6,18 * * *', notes, through: '2026-01-01T06:00:00Z', known: cron.join(', ') };
  const made = await plan(short, 'several', given);
  await fire(made, '2026-01-01T06:30:00Z');
  await eventually(async () => expect(await jobsOf('several')).toEqual([]));
  expect(await through('several')).toBe('2026-01-01T06:30:00.000Z');
  // The control plane was down until after 18:30 and 06:00.
  const after = await fire(made, '2026-01-02T18:00:00Z');
  await bench.finished(after.metadata.name);
  await bench.finished((await fire(made, '2026-01-02T18:30:00Z')).metadata.name);
  await began('several', ['2026-01-02T06:00:00Z', '2026-01-02T18:30:00Z']);
  expect(await skippedOf('several')).toEqual([]);
});

it('passes over without a word what is fired beside several schedules of a plan that makes up for nothing', async () => {
  const cron = ['0 6 * * *', '30 18 * * *'];
  const notes = { [annotations.schedules]: JSON.stringify({ cron, timeZone: 'Etc/UTC' }) };
  const given = { schedule: '0,30 6,18 * * *', notes, through: '2026-01-01T06:00:00Z', known: cron.join(', ') };
  const made = await plan(short, 'none', given);
  await fire(made, '2026-01-01T06:30:00Z');
  await eventually(async () => expect(await jobsOf('none')).toEqual([]));
  await bench.finished((await fire(made, '2026-01-01T18:30:00Z')).metadata.name);
  await began('none', ['2026-01-01T18:30:00Z']);
  expect(await skippedOf('none')).toEqual([]);
});

it('starts runs below a minute late rather than not at all, and tells of those that are too late', async () => {
  const notes = { [annotations.every]: '20', [annotations.concurrency]: '{"policy":"Allow"}' };
  const given = { schedule: '* * * * *', notes, through: time(0), known: 'every 20s' };
  const minute = Math.floor(Date.now() / 60_000) * 60_000 - 120_000;
  const text = (seconds: number) => `${new Date(minute + seconds * 1000).toISOString().slice(0, 19)}Z`;
  const late = await plan(short, 'tardy', given);
  // One that is suspended starts none; Kubernetes does not fire on this date.
  const active = { schedule: NEVER, suspend: false, startingDeadlineSeconds: 3600 };
  await bench.client.patch(cronJobs, 'tardy', { spec: active }, { type: 'merge' });
  await fire(late, text(0));
  await eventually(() => expect(begun.get('tardy')?.toSorted()).toEqual([20, 40, 60].map(text)), 30_000);
  const tooLate = await plan(short, 'missed', given);
  await fire(tooLate, time(10));
  await eventually(async () => {
    const { data } = await bench.client.get<ConfigMap>(configMaps, 'missed-plan');
    expect(decodePlanRecord(data?.record).skipped).toMatchObject(
      ['00:10:20', '00:10:40', '00:11:00'].map((at) => ({ time: Date.parse(`2026-01-01T${at}Z`), reason: 'TooLate' })),
    );
  });
  expect(begun.has('missed')).toBe(false);
  expect(await skippedOf('missed')).toHaveLength(3);
});
