import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { annotations, labels, MANAGED_BY, SCHEDULED_AT } from '../../../lib/graph/labels.ts';
import type { Job } from '../../../lib/controller/objects.ts';
import { cronJobs, jobs } from '../../../lib/kube/resources.ts';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import { eventually } from '../../cluster/eventually.ts';
import { Bench, cronJob, run, workflow, type RunningController, type TestWorkflow } from '../support.ts';

let cluster: ControlPlane;
let bench: Bench;
let controller: RunningController;

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'schedules', nodes: 1 });
  bench = await Bench.create(cluster.kubeconfigPath, 'schedules');
  controller = await bench.controller();
});

afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
});

const text = { type: 'string' } as const;
const long = workflow('long', [{ name: 'wait', sim: { stuck: 'Running' } }]);
const short = workflow('short', [{ name: 'work', sim: { 'run-ms': '50' } }]);
const dated = workflow('dated', [{ name: 'show', inputs: { at: { input: 'at' } } }], {
  inputs: { properties: { at: text }, required: ['at'] },
});

/** A run as the CronJob controller makes it at a time; without a time as `kubectl create job --from` does. */
async function fire(of: TestWorkflow, plan: string, minute: number | undefined, notes: Record<string, string>) {
  await bench.apply(...of.manifests);
  const name = minute === undefined ? `${plan}-by-hand` : `${plan}-${minute}`;
  const time = minute === undefined ? undefined : new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
  const at: Record<string, string> = time === undefined ? {} : { [SCHEDULED_AT]: time };
  const made = run(of, name, { annotations: { ...notes, ...at } });
  const owned = { ...made.metadata.labels, [labels.plan]: plan };
  return bench.client.create<Job>(jobs, { ...made, metadata: { ...made.metadata, labels: owned } });
}

async function runsOf(plan: string): Promise<Record<string, string>> {
  const { items } = await bench.client.list<Job>(jobs, { labelSelector: `${labels.plan}=${plan},!${labels.step}` });
  const state = ({ metadata, status }: Job) => [
    metadata.name,
    status?.conditions?.at(-1)?.reason ?? (status?.startTime === undefined ? 'waits' : 'runs'),
  ];
  return Object.fromEntries(items.map(state)) as Record<string, string>;
}

const concurrency = (said: object) => ({ [annotations.concurrency]: JSON.stringify(said) });

describe('a queue of runs', () => {
  const queue = concurrency({ policy: 'Queue', max: 1 });

  it('lets them begin in order, skips those for which there is no room, and tells so on the plan', async () => {
    for (const minute of [1, 2]) await fire(long, 'queue', minute, queue);
    await eventually(async () => expect(await runsOf('queue')).toEqual({ 'queue-1': 'runs', 'queue-2': 'waits' }));
    await fire(long, 'queue', 3, queue);
    await fire(long, 'queue', undefined, queue);
    await eventually(async () =>
      expect(await runsOf('queue')).toEqual({ 'queue-1': 'runs', 'queue-2': 'waits', 'queue-by-hand': 'waits' }),
    );
    await eventually(async () =>
      expect(await bench.events('queue')).toEqual([
        'RunSkipped: Skipped the run of 2026-01-01T00:03:00.000Z: queue-1 still goes on, and 1 waits already',
      ]),
    );
    expect(await bench.events('queue-2')).toEqual(['RunQueued: Waits for queue-1 of the same plan']);
    await bench.annotate('queue-1', annotations.cancel, 'Now');
    await eventually(async () =>
      expect(await runsOf('queue')).toEqual({
        'queue-1': 'CancelRequested',
        'queue-2': 'runs',
        'queue-by-hand': 'waits',
      }),
    );
  });

  it('is the same for a controller that takes over, and a run that waits can be cancelled', async () => {
    await controller.stop();
    controller = await bench.controller();
    await bench.annotate('queue-by-hand', annotations.cancel, 'Now');
    await bench.finished('queue-by-hand');
    expect(await runsOf('queue')).toMatchObject({ 'queue-2': 'runs', 'queue-by-hand': 'CancelRequested' });
    await bench.annotate('queue-2', annotations.cancel, 'Now');
    await bench.finished('queue-2');
  });
});

it('replaces a run of the minute before, where the controller has to', async () => {
  const replace = concurrency({ policy: 'Replace' });
  for (const minute of [1, 2]) await fire(long, 'replace', minute, replace);
  await eventually(async () =>
    expect(await runsOf('replace')).toEqual({ 'replace-1': 'CancelRequested', 'replace-2': 'runs' }),
  );
  expect(await bench.events('replace-1')).toContain('RunReplaced: Is replaced by replace-2');
});

it('skips what is scheduled while the plan is paused, and not what is launched by hand', async () => {
  const paused = { [annotations.pausedUntil]: '2026-01-01T00:02:00Z' };
  for (const minute of [1, 2, undefined]) await fire(short, 'paused', minute, paused);
  await bench.finished('paused-by-hand');
  await eventually(async () =>
    expect(await runsOf('paused')).toEqual({ 'paused-2': 'Completed', 'paused-by-hand': 'Completed' }),
  );
});

it('gives a run the time that it was scheduled for as an input, else when it was made', async () => {
  const kickoff = { [annotations.kickoffInputs]: '["at"]' };
  await fire(dated, 'dated', 7, kickoff);
  const { metadata } = await fire(dated, 'dated', undefined, kickoff);
  const inputOf = async (name: string) => {
    await bench.finished(name);
    const [pod] = await bench.pods(name);
    const { env } = pod!.spec!.containers![0] as unknown as { env: readonly { name: string; value?: string }[] };
    return env.find((variable) => variable.name === 'INPUT_AT')?.value;
  };
  expect(await inputOf('dated-7')).toBe('2026-01-01T00:07:00Z');
  expect(await inputOf('dated-by-hand')).toBe(metadata.creationTimestamp);
});

it('starts the runs of a minute on time, from a CronJob that fires each minute', async () => {
  await bench.apply(...short.manifests);
  const made = cronJob(short, 'often', { schedule: '* * * * *', suspend: false, concurrencyPolicy: 'Allow' });
  const { jobTemplate, ...spec } = made.spec as { jobTemplate: { metadata: { labels: object; annotations: object } } };
  const own = { ...jobTemplate.metadata.labels, [labels.plan]: 'often', [labels.managedBy]: MANAGED_BY };
  const notes = {
    ...jobTemplate.metadata.annotations,
    [annotations.every]: '10',
    ...concurrency({ policy: 'Forbid' }),
  };
  await bench.client.create(cronJobs, {
    ...made,
    spec: { ...spec, jobTemplate: { ...jobTemplate, metadata: { labels: own, annotations: notes } } },
  });
  const runs = await eventually(async () => {
    const { items } = await bench.client.list<Job>(jobs, { labelSelector: `${labels.plan}=often,!${labels.step}` });
    const ticked = items.filter(({ metadata }) => metadata.annotations?.[annotations.every] === undefined);
    expect(ticked.length).toBeGreaterThanOrEqual(2);
    return ticked;
  }, 150_000);
  await bench.client.delete(cronJobs, 'often', { propagationPolicy: 'Background' });
  for (const { metadata } of runs) {
    const at = Date.parse(metadata.annotations![SCHEDULED_AT]!);
    expect(at % 10_000).toBe(0);
    expect(metadata.name).toBe(`often-${at / 1000}`);
    expect(metadata.annotations![annotations.inputs]).toBe('{}');
  }
});
