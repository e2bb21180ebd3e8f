import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { stringify } from 'yaml';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { annotations, labels, MANAGED_BY } from '../../lib/graph/labels.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { writeFleetConfig } from '../cluster/kubeconfig.ts';
import { cliFor, steady } from './cluster-cli.ts';

let eu: ControlPlane;
let us: ControlPlane;
let directory: string;
let kubeconfig: string;

beforeAll(async () => {
  [eu, us] = await Promise.all([
    startControlPlane({ name: 'failover-eu', scheduler: false, controllerManager: false }),
    startControlPlane({ name: 'failover-us', scheduler: false }),
  ]);
  directory = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-failover-'));
  kubeconfig = join(directory, 'kubeconfig');
  await writeFleetConfig(kubeconfig, { eu: eu.kubeconfigPath, us: us.kubeconfigPath, same: eu.kubeconfigPath });
});

afterAll(async () => {
  await Promise.all([eu?.stop(), us?.stop()]);
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

/** It fires at the minute that is half an hour away, so that nothing fires while a test runs. */
const halfPast = new Date(Date.now() - 30 * 60_000);
const schedule = `${halfPast.getUTCMinutes()} * * * *`;

function plan(name: string, suspend: boolean, notes: Record<string, string> = {}, more: object = {}): object {
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'x' }] } };
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name, labels: { [labels.managedBy]: MANAGED_BY, [labels.plan]: name }, annotations: notes },
    spec: { schedule, suspend, ...more, jobTemplate: { spec: { template } } },
  };
}

const chosen = (cluster: string) => ({ cluster, reason: 'named by the plan' });
const placed = { ...chosen('eu'), backups: [chosen('us')] };

/** Three plans that belong on eu and are on us as backups, one of them without a schedule, and one that has no backup. */
async function synthesized(more: object = {}): Promise<void> {
  const clusters = { eu: { context: 'eu' }, us: { context: 'us' }, same: { context: 'same', enabled: true } };
  const plans = { 'etl-a': placed, 'etl-b': placed, 'by-hand': placed, alone: chosen('eu') };
  const files = {
    eu: [plan('etl-a', false, {}, more), plan('etl-b', false), plan('by-hand', true), plan('alone', false)],
    us: [
      plan('etl-a', true, {}, more),
      plan('etl-b', true),
      plan('by-hand', true, { [annotations.staysSuspended]: 'true' }),
    ],
    same: [],
  };
  for (const [name, objects] of Object.entries(files)) {
    await mkdir(join(directory, 'dist', name), { recursive: true });
    await writeFile(
      join(directory, 'dist', name, 'plans.k8s.yaml'),
      objects.map((object) => stringify(object)).join('---\n'),
    );
  }
  await writeFile(join(directory, 'dist/placement.json'), JSON.stringify({ clusters, plans }));
}

const cli = (...args: string[]) => cliFor(kubeconfig, '')(args, { cwd: directory });

/** Whether each plan is active, by its name. */
async function active(on: ControlPlane): Promise<Record<string, boolean>> {
  const { stdout } = await on.kubectl(['get', 'cronjob', '-o', 'json']);
  const { items } = JSON.parse(stdout) as { items: { metadata: { name: string }; spec: { suspend: boolean } }[] };
  return Object.fromEntries(items.map(({ metadata, spec }) => [metadata.name, !spec.suspend]));
}

async function recordOf(on: ControlPlane, name: string): Promise<Record<string, string> | undefined> {
  const { stdout } = await on.kubectl(['get', 'cronjob', name, '-o', 'json']);
  const { metadata } = JSON.parse(stdout) as { metadata: { annotations?: Record<string, string> } };
  const text = metadata.annotations?.[annotations.failover];
  return text === undefined ? undefined : (JSON.parse(text) as Record<string, string>);
}

const home = { 'etl-a': true, 'etl-b': true, 'by-hand': false, alone: true };
const standBy = { 'etl-a': false, 'etl-b': false, 'by-hand': false };

describe('failover and failback', () => {
  beforeEach(async () => {
    await synthesized();
    for (const cluster of [eu, us]) await cluster.kubectl(['delete', 'cronjob,job', '--all']);
    for (const name of ['eu', 'us']) expect((await cli('apply', name, '--yes')).code).toBe(0);
  });

  it('switch the plans there and back, and note it', async () => {
    const to = await cli('failover', 'eu', '--to', 'us', '--yes');
    expect(steady(to.stdout)).toBe(`PLAN WHERE IT BELONGS BACKUP NOTE
etl-a eu: suspend us: activate
etl-b eu: suspend us: activate
by-hand eu: is suspended us: is suspended it is suspended on eu too, or has no schedule
✓ 2 plans switched, 1 as they are
`);
    expect([to.code, to.stderr]).toEqual([0, '']);
    expect([await active(eu), await active(us)]).toEqual([
      { ...home, 'etl-a': false, 'etl-b': false },
      { ...standBy, 'etl-a': true, 'etl-b': true },
    ]);
    const note = { from: 'eu', to: 'us', at: expect.stringMatching(/^20/) as string, by: 'admin' };
    expect([await recordOf(eu, 'etl-a'), await recordOf(us, 'etl-a')]).toEqual([note, note]);
    // The second time there is nothing to do.
    expect((await cli('failover', 'eu', '--to', 'us', '--yes')).stdout).toContain(
      '✓ 0 plans switched, 2 before, 1 as they are\n',
    );
    const back = await cli('failback', 'eu', '--yes');
    expect([back.code, steady(back.stdout)]).toEqual([
      0,
      `PLAN WHERE IT BELONGS BACKUP NOTE
etl-a eu: activate us: suspend
etl-b eu: activate us: suspend
✓ 2 plans switched
`,
    ]);
    expect([await active(eu), await active(us)]).toEqual([home, standBy]);
    expect([await recordOf(eu, 'etl-a'), await recordOf(us, 'etl-a')]).toEqual([undefined, undefined]);
    expect(await cli('failback', 'eu', '--yes')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'No plan is to be switched.\n',
    });
  });

  it('ask first, write nothing in a dry run, and take only the plans that are named', async () => {
    const asked = await cli('failover', 'eu', '--to', 'us');
    expect([asked.code, asked.stderr]).toEqual([
      2,
      expect.stringContaining('Switch 2 plans? Nobody can answer: give --yes or --dry-run'),
    ]);
    const dry = await cli('failover', 'eu', '--to', 'us', '--dry-run', '-o', 'json');
    const { plans } = JSON.parse(dry.stdout) as { plans: { plan: string; verdict: string; done?: boolean }[] };
    expect(plans.map(({ plan: name, verdict, done }) => [name, verdict, done])).toEqual([
      ['etl-a', 'switch', true],
      ['etl-b', 'switch', true],
      ['by-hand', 'stays', undefined],
    ]);
    expect([await active(eu), await active(us)]).toEqual([home, standBy]);
    await cli('failover', 'eu', '--to', 'us', '--yes', '--plan', 'etl-b');
    expect(await active(us)).toEqual({ ...standBy, 'etl-b': true });
    expect((await cli('failover', 'eu', '--to', 'us', '--yes', '--plan', 'etl-c')).stderr).toContain(
      '"etl-c" is none of these plans',
    );
  });

  it('are not undone by the next apply, which changes the rest, unless it is told to', async () => {
    const apply = async (...args: string[]) => {
      for (const name of ['eu', 'us']) expect((await cli('apply', name, '--yes', ...args)).code).toBe(0);
      return [await active(eu), await active(us)];
    };
    const switched = [
      { ...home, 'etl-a': false, 'etl-b': false },
      { ...standBy, 'etl-a': true, 'etl-b': true },
    ];
    await cli('failover', 'eu', '--to', 'us', '--yes');
    expect(await apply()).toEqual(switched);
    await synthesized({ timeZone: 'Europe/Berlin' });
    expect(await apply()).toEqual(switched);
    const { stdout } = await us.kubectl(['get', 'cronjob', 'etl-a', '-o', 'jsonpath={.spec.timeZone}']);
    expect(stdout).toBe('Europe/Berlin');
    await cli('failback', 'eu', '--yes');
    expect(await apply()).toEqual([home, standBy]);
    await cli('failover', 'eu', '--to', 'us', '--yes');
    expect(await apply('--force-conflicts')).toEqual([home, standBy]);
  });

  it('leave what somebody suspended', async () => {
    await cli('deactivate', 'etl-a', '--context', 'eu');
    const { stdout } = await cli('failover', 'eu', '--to', 'us', '--yes');
    expect(steady(stdout)).toContain('etl-a eu: is suspended us: is suspended somebody suspended it on eu\n');
    expect(await active(us)).toEqual({ ...standBy, 'etl-b': true });
  });

  it('refuse what could run a plan twice while a cluster is lost, and end it when it is back', async () => {
    await eu.stopApiServer();
    try {
      const refused = await cli('failover', 'eu', '--to', 'us', '--yes');
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/^warning: eu: Cannot list cronjobs/);
      expect(refused.stdout).toContain(
        'error: etl-a: it may be active on eu, which cannot be reached: it could run twice\n',
      );
      expect(await active(us)).toEqual(standBy);
      const forced = await cli('failover', 'eu', '--to', 'us', '--yes', '--force');
      expect(forced.code).toBe(0);
      expect(forced.stderr).toContain(
        'warning: eu may go on to start these plans; run this command again as soon as it is back\n',
      );
      expect(await active(us)).toEqual({ ...standBy, 'etl-a': true, 'etl-b': true });
      expect((await cli('failback', 'eu', '--yes')).stdout).toContain('error: etl-a: eu cannot be reached\n');
    } finally {
      await eu.startApiServer();
    }
    expect(await active(eu)).toEqual(home);
    expect(steady((await cli('failover', 'eu', '--to', 'us', '--yes')).stdout)).toContain(
      'etl-a eu: suspend us: is active',
    );
    expect(await active(eu)).toEqual({ ...home, 'etl-a': false, 'etl-b': false });
    await cli('failback', 'eu', '--yes');
    expect([await active(eu), await active(us)]).toEqual([home, standBy]);
  });

  it('start nothing on the backup that was started before', async () => {
    const started = halfPast.toISOString().replace(/:\d\d\.\d+Z$/, ':00Z');
    const longAgo = new Date(halfPast.getTime() - 5 * 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z');
    const last = (on: ControlPlane, name: string, lastScheduleTime: string) =>
      on.kubectl([
        'patch',
        'cronjob',
        name,
        '--subresource=status',
        '--type=merge',
        '-p',
        JSON.stringify({ status: { lastScheduleTime } }),
      ]);
    for (const name of ['etl-a', 'etl-b']) await last(us, name, longAgo);
    await last(eu, 'etl-a', started);
    const jobsOnUs = async () => (await us.kubectl(['get', 'jobs', '-o', 'name'])).stdout;
    await cli('failover', 'eu', '--to', 'us', '--yes', '--plan', 'etl-a');
    // What would happen otherwise, for comparison.
    await cli('activate', 'etl-b', '--context', 'us');
    await eventually(async () => expect(await jobsOnUs()).toContain('etl-b'));
    await setTimeout(2_000);
    expect(await jobsOnUs()).not.toContain('etl-a');
  });

  it('refuse names that make no sense', async () => {
    const said = async (...args: string[]) => {
      const { code, stderr } = await cli(...args, '--yes');
      return [code, stderr];
    };
    expect(await said('failover', 'eu', '--to', 'eu')).toEqual([
      2,
      expect.stringContaining('eu is the cluster itself'),
    ]);
    expect(await said('failover', 'eux', '--to', 'us')).toEqual([
      2,
      expect.stringContaining('there is no cluster "eux"; did you mean "eu"?'),
    ]);
    expect(await said('failover', 'us', '--to', 'eu')).toEqual([
      1,
      expect.stringContaining('No plan that belongs on us has eu among its backups; its plans have no backups'),
    ]);
    const clusters = { eu: { context: 'eu' }, us: { context: 'same' } };
    await writeFile(join(directory, 'dist/placement.json'), JSON.stringify({ clusters, plans: { 'etl-a': placed } }));
    expect(await said('failover', 'eu', '--to', 'us')).toEqual([
      1,
      expect.stringContaining('The contexts of eu and us lead to the same namespace of the same cluster'),
    ]);
    expect(await active(eu)).toEqual(home);
  });
});
