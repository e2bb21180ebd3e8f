import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isFinished, type Job } from '../../lib/controller/objects.ts';
import { labels, MANAGED_BY } from '../../lib/graph/labels.ts';
import type { KubeObject } from '../../lib/kube/objects.ts';
import { cronJobs, jobs } from '../../lib/kube/resources.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { workflow } from '../controller/support.ts';
import { BackfillTrials, FIRST, hourlyPlan } from './backfill-trial.ts';
import { cliFor, steady } from './cluster-cli.ts';

const HOUR = 3_600_000;

let cluster: ControlPlane;
let trials: BackfillTrials;
let cli: ReturnType<typeof cliFor>;

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'backfill', nodes: 1 });
  trials = await BackfillTrials.start(cluster);
  cli = cliFor(cluster.kubeconfigPath, trials.bench.namespace);
  await trials.bench.controller();
});

afterAll(async () => {
  await trials?.[Symbol.asyncDispose]();
  await cluster?.stop();
});

const range = (hours: number) => [
  '--from',
  '2026-01-01',
  '--to',
  new Date(FIRST + hours * HOUR).toISOString().slice(0, 16),
];
const nameOf = (plan: string, hour: number) => `${plan}-${(FIRST + hour * HOUR) / 60_000}`;
const runsOf = async (plan: string) =>
  (await trials.bench.client.list<Job>(jobs, { labelSelector: `${labels.plan}=${plan}` })).items;

/** A plan over a single task, whose Jobs Kubernetes itself runs. */
function taskPlan(name: string) {
  const own = { [labels.managedBy]: MANAGED_BY, [labels.plan]: name, [labels.task]: 'load' };
  const template = {
    metadata: { annotations: { 'sim.test/run-ms': '20' } },
    spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'task:1', command: ['load'] }] },
  };
  const spec = { backoffLimit: 0, template } as JsonObject;
  return {
    ...hourlyPlan(name),
    metadata: { name, labels: own },
    spec: { schedule: '0 * * * *', suspend: true, jobTemplate: { metadata: { labels: own }, spec } },
  };
}

describe('a backfill', () => {
  it('that is killed halfway and started again makes each run once, and so many go on at once, in order', async () => {
    await trials.bench.apply(hourlyPlan('killed'));
    const seen = await trials.watch('killed');
    const first = await trials.backfill('killed', 12, ['--concurrency', '3'], 10);
    expect(first).toMatchObject({ killed: true });
    const left = (await runsOf('killed')).length;
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(12);
    const second = await trials.backfill('killed', 12, ['--concurrency', '3', '--wait']);
    expect(second).toMatchObject({ code: 0 });
    expect(second.stdout).toContain(`12 runs, ${12 - left} made, ${left} existed`);
    const { made, atOnce, outOfOrder } = seen();
    expect([...made.values()].map((uids) => uids.size)).toEqual(Array.from({ length: 12 }, () => 1));
    expect(atOnce).toBeLessThanOrEqual(3);
    expect(outOfOrder).toBeLessThan(3);
    const [run] = (await runsOf('killed')).filter(({ metadata }) => metadata.name === nameOf('killed', 5));
    expect(run!.metadata.ownerReferences).toBeUndefined();
    const [pod] = await trials.bench.pods(nameOf('killed', 5));
    expect(JSON.stringify(pod!.spec)).toContain('{"name":"INPUT_AT","value":"2026-01-01T05:00:00Z"}');
  });

  it('begins with the newest when it is told to, and its CronJob does not make up for what it made', async () => {
    await trials.bench.apply(hourlyPlan('newest'));
    const { metadata } = await trials.bench.client.get(cronJobs, 'newest');
    // The CronJob has missed hours, as one has that was suspended for long.
    const seen = { status: { lastScheduleTime: '2026-01-01T00:00:00Z' } };
    await trials.bench.client.patch(cronJobs, 'newest', seen, { type: 'merge', subresource: 'status' });
    const watch = await trials.watch('newest', { newest: true });
    const result = await cli(['backfill', 'newest', ...range(6), '--order', 'newest', '--wait', '-o', 'name']);
    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout.trim().split('\n')).toEqual(
      [5, 4, 3, 2, 1, 0].map((hour) => `job.batch/${nameOf('newest', hour)}`),
    );
    expect(watch()).toMatchObject({ atOnce: 1, outOfOrder: 0 });
    const after = await trials.bench.client.get<KubeObject & { status: object }>(cronJobs, 'newest');
    expect(after.metadata.uid).toBe(metadata.uid);
    expect(after.status).toMatchObject({ lastScheduleTime: '2026-01-01T05:00:00Z' });
  });

  it('lists what it would do, and gives a List that kubectl takes and that makes the same runs', async () => {
    await trials.bench.apply(hourlyPlan('listed'));
    const dry = await cli(['backfill', 'listed', ...range(2), '--dry-run']);
    expect(steady(dry.stdout)).toBe(
      [
        'TIME RUN WHAT',
        `2026-01-01T00:00:00+00:00 ${nameOf('listed', 0)} make`,
        `2026-01-01T01:00:00+00:00 ${nameOf('listed', 1)} make`,
        '2 runs would be made (dry run, nothing was started)',
        '',
      ].join('\n'),
    );
    expect(await runsOf('listed')).toEqual([]);
    const { stdout } = await cli(['backfill', 'listed', ...range(2), '--dry-run', '-o', 'json']);
    expect(await cluster.kubectl(['create', '-f', '-'], { input: stdout })).toMatchObject({ code: 0 });
    const again = await cli(['backfill', 'listed', ...range(2), '--wait', '-o', 'json']);
    expect(JSON.parse(again.stdout)).toMatchObject({
      plan: 'listed',
      from: '2026-01-01T00:00:00Z',
      to: '2026-01-01T02:00:00Z',
      runs: [
        { name: nameOf('listed', 0), made: false, phase: 'Succeeded' },
        { name: nameOf('listed', 1), made: false, phase: 'Succeeded' },
      ],
    });
  });

  it('leaves runs that failed alone, unless they are to run again', async () => {
    const failing = workflow('failing', [{ name: 'work', sim: { 'exit-code': '3' } }]);
    await trials.bench.apply(...failing.manifests, hourlyPlan('failed', {}, failing));
    const name = nameOf('failed', 0);
    const first = await cli(['backfill', 'failed', ...range(1), '--wait']);
    expect(first).toMatchObject({ code: 1 });
    expect(first.stderr).toContain(`1 runs did not succeed: ${name}`);
    const { metadata } = await trials.bench.job(name);
    expect(await cli(['backfill', 'failed', ...range(1), '--wait'])).toMatchObject({ code: 1 });
    expect((await trials.bench.job(name)).metadata.uid).toBe(metadata.uid);
    expect((await cli(['backfill', 'failed', ...range(1), '--rerun-failed', '--wait'])).stderr).toContain('made again');
    expect((await trials.bench.job(name)).metadata.uid).not.toBe(metadata.uid);
  });

  it('starts the Jobs of a single task itself, each when another has ended', async () => {
    await trials.bench.apply(taskPlan('single'));
    const refused = await cli(['backfill', 'single', ...range(4), '--no-wait']);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain('--no-wait: would leave runs that nobody starts');
    const seen = await trials.watch('single');
    const { code, stderr } = await cli(['backfill', 'single', ...range(4)]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toContain('this command starts them');
    expect(seen()).toMatchObject({ atOnce: 1, outOfOrder: 0 });
    expect((await runsOf('single')).filter((job) => isFinished(job))).toHaveLength(4);
  });

  it('says all that is wrong before it makes anything', async () => {
    await trials.bench.apply(hourlyPlan('wrong'));
    const result = await cli([
      'backfill',
      'wrong',
      '--from',
      'soon',
      '--to',
      '2999-01-01',
      '-i',
      'at=now',
      '-i',
      'sit=a',
    ]);
    expect(result.code).toBe(2);
    for (const part of [
      '--from: "soon" is no time',
      '--to: 2999-01-01 is yet to come',
      '--input at: is the time that each',
      '--input sit',
    ])
      expect(result.stderr).toContain(part);
    const many = await cli(['backfill', 'wrong', '--from', '2026-01-01', '--to', '2026-01-06']);
    expect(many).toMatchObject({ code: 2 });
    expect(many.stderr).toContain('Make 120 runs of wrong? Nobody can answer: give --yes');
    expect((await cli(['backfill', 'wrong'])).stderr).toContain('give --from and --to');
    expect(await runsOf('wrong')).toEqual([]);
  });

  it('of a group is one of each plan', async () => {
    const inGroup = (name: string) => {
      const made = hourlyPlan(name);
      return { ...made, metadata: { name, labels: { ...made.metadata.labels, [labels.group]: 'sites' } } };
    };
    await trials.bench.apply(inGroup('site-a'), inGroup('site-b'));
    const result = await cli(['backfill', '--group', 'sites', ...range(2)]);
    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout.match(/2 runs, 2 made/g)).toHaveLength(2);
    for (const plan of ['site-a', 'site-b'])
      await eventually(async () => expect((await runsOf(plan)).filter((job) => isFinished(job))).toHaveLength(2));
  });
});
