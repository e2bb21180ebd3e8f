import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTENT_PLAN, labels, MANAGED_BY } from '../../lib/graph/labels.ts';
import { PLAN_RECORD_KEY } from '../../lib/graph/plan-record.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { writeFleetConfig } from '../cluster/kubeconfig.ts';
import { plan } from '../fleet/manifests.ts';
import { CliProcess } from './cli.ts';
import { cliFor, steady } from './cluster-cli.ts';

let eu: ControlPlane;
let us: ControlPlane;
let directory: string;
let kubeconfig: string;

beforeAll(async () => {
  const options = { scheduler: false, controllerManager: false };
  [eu, us] = await Promise.all([
    startControlPlane({ name: 'everywhere-eu', ...options }),
    startControlPlane({ name: 'everywhere-us', ...options }),
  ]);
  directory = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-everywhere-'));
  kubeconfig = join(directory, 'kubeconfig');
  await writeFleetConfig(kubeconfig, { eu: eu.kubeconfigPath, us: us.kubeconfigPath, away: 'https://127.0.0.1:1' });
  await fleetOf('eu', 'us');
});

afterAll(async () => {
  await Promise.all([eu?.stop(), us?.stop()]);
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

async function fleetOf(...names: string[]): Promise<void> {
  await mkdir(join(directory, 'dist'), { recursive: true });
  const clusters = Object.fromEntries(names.map((name) => [name, { context: name }]));
  await writeFile(join(directory, 'dist/placement.json'), JSON.stringify({ clusters, plans: {} }));
}

/** A run, as its Job. Nothing takes it up. */
async function run(on: ControlPlane, name: string, plan = 'nightly'): Promise<void> {
  const given = { [labels.managedBy]: MANAGED_BY, [labels.plan]: plan };
  const containers = [{ name: 'main', image: 'x' }];
  const job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, labels: given },
    spec: { template: { spec: { restartPolicy: 'Never', containers } } },
  };
  await on.kubectl(['create', '-f', '-'], { input: JSON.stringify(job) });
}

/** What a plan skipped, as its record has it. */
async function skipped(on: ControlPlane, name: string): Promise<void> {
  const run = { name, time: '2026-03-01T00:00:00Z', reason: 'PlanPaused', message: 'it is paused' };
  const record = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'nightly-plan', labels: { [labels.content]: CONTENT_PLAN, [labels.plan]: 'nightly' } },
    data: { [PLAN_RECORD_KEY]: JSON.stringify({ skipped: [run] }) },
  };
  await on.kubectl(['create', '-f', '-'], { input: JSON.stringify(record) });
}

/** An event about an object, so many seconds ago. */
async function event(on: ControlPlane, about: string, reason: string, ago: number, more: object = {}): Promise<void> {
  const [kind, name] = about.split('/');
  const lastTimestamp = new Date(Date.now() - ago * 1000).toISOString().replace(/\.\d+Z/, 'Z');
  const involvedObject = { kind, name, namespace: 'default' };
  const object = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${reason.toLowerCase()}`, namespace: 'default' },
    ...{ involvedObject, reason, lastTimestamp, type: 'Normal', message: `${reason} of ${name}`, ...more },
  };
  await on.kubectl(['create', '-f', '-'], { input: JSON.stringify(object) });
}

const cli = (...args: string[]) => cliFor(kubeconfig, '')(args, { cwd: directory });
const watching = (...args: string[]) => new CliProcess([...args, '--kubeconfig', kubeconfig], directory);

describe('all clusters at once', () => {
  beforeAll(async () => {
    await run(eu, 'first');
    await run(us, 'second');
    await event(us, 'Job/second', 'Started', 30);
    await event(eu, 'Job/first', 'Started', 60);
    await event(eu, 'Job/first', 'Failing', 10, { type: 'Warning' });
    await event(eu, 'Pod/somebody-elses', 'Pulled', 20);
    await event(us, 'Job/gone', 'Over', 5, { source: { component: MANAGED_BY } });
  });

  it('have their runs in one table, and in one document', async () => {
    const { code, stdout, stderr } = await cli('runs', '--all-clusters');
    const rows = steady(stdout).split('\n');
    expect([rows[0], ...rows.slice(1).sort()]).toEqual([
      'CLUSTER NAME PLAN PHASE STEPS AGE DURATION',
      '',
      expect.stringMatching(/^eu first nightly Pending 0\/1 /),
      expect.stringMatching(/^us second nightly Pending 0\/1 /),
    ]);
    expect([code, stderr]).toEqual([0, '']);
    expect((await cli('runs', '--all-clusters', '-o', 'name')).stdout.split('\n').sort()).toEqual([
      '',
      'eu/job.batch/first',
      'us/job.batch/second',
    ]);
    const { runs, unreachable } = JSON.parse((await cli('runs', '--all-clusters', '-o', 'json')).stdout) as {
      runs: { cluster: string }[];
      unreachable: unknown[];
    };
    expect([runs.map(({ cluster }) => cluster).sort(), unreachable]).toEqual([['eu', 'us'], []]);
  });

  it('have their plans in one table, and in another how each stands', async () => {
    const nightly = JSON.stringify(plan('nightly', { schedule: '0 3 * * *', timeZone: 'Etc/UTC' }).object);
    for (const on of [eu, us]) await on.kubectl(['create', '-f', '-'], { input: nightly });
    const rowsOf = async (...args: string[]) => {
      const { code, stdout } = await cli(...args, '--all-clusters');
      // They come as their clusters answer.
      return [code, ...steady(stdout).trimEnd().split('\n').sort()];
    };
    expect(await rowsOf('plans')).toEqual([
      0,
      'CLUSTER NAME GROUP SCHEDULE ZONE ACTIVE LAST RUN NEXT',
      'eu nightly - 0 3 * * * Etc/UTC no Pending, <n>s ago -',
      'us nightly - 0 3 * * * Etc/UTC no Pending, <n>s ago -',
    ]);
    expect(await rowsOf('status')).toEqual([
      0,
      'CLUSTER PLAN ACTIVE PHASE STEPS AGE DURATION RUN',
      'eu nightly no Pending 0/1 <n>s - first',
      'us nightly no Pending 0/1 <n>s - second',
    ]);
    const { plans, unreachable } = JSON.parse((await cli('plans', '--all-clusters', '-o', 'json')).stdout) as {
      plans: { cluster: string; name: string }[];
      unreachable: unknown[];
    };
    expect(unreachable).toEqual([]);
    expect(plans.map(({ cluster, name }) => `${cluster}/${name}`).sort()).toEqual(['eu/nightly', 'us/nightly']);
  });

  it('have their events in one table, newest last, without those about others', async () => {
    const { code, stdout } = await cli('events', '--all-clusters');
    expect(code).toBe(0);
    expect(steady(stdout).replace(/<n>s/g, 'ago')).toBe(`CLUSTER LAST SEEN TYPE REASON OBJECT MESSAGE
eu ago Normal Started job/first Started of first
us ago Normal Started job/second Started of second
eu ago Warning Failing job/first Failing of first
us ago Normal Over job/gone Over of gone
`);
    const reasons = async (...args: string[]) => {
      const document = JSON.parse((await cli('events', '-o', 'json', ...args)).stdout) as {
        events: { reason: string }[];
      };
      return document.events.map(({ reason }) => reason);
    };
    expect(await reasons('--all-clusters', '--types', 'warning')).toEqual(['Failing']);
    expect(await reasons('--context', 'eu')).toEqual(['Started', 'Failing']);
    expect(await reasons('--all-clusters', '--for', 'run/second')).toEqual(['Started']);
    expect(await reasons('--all-clusters', '--for', 'plan/nightly')).toEqual(['Started', 'Started', 'Failing']);
    expect((await cli('events', '--types', 'Warnin')).stderr).toContain('did you mean "Warning"?');
  });

  it('show what they can, and say which of them is not reached', async () => {
    await fleetOf('eu', 'away');
    try {
      const { code, stdout, stderr } = await cli('runs', '--all-clusters');
      expect(code).toBe(1);
      expect(stdout).toContain('eu        first');
      expect(stderr).toMatch(/^error: away: .*Nothing listens there/);
      const document = JSON.parse((await cli('events', '--all-clusters', '-o', 'json')).stdout) as {
        events: object[];
        unreachable: { cluster: string }[];
      };
      expect([document.events.length, document.unreachable.map(({ cluster }) => cluster)]).toEqual([2, ['away']]);
    } finally {
      await fleetOf('eu', 'us');
    }
  });

  it('need a fleet', async () => {
    const { code, stderr } = await cliFor(kubeconfig, '')(['runs', '--all-clusters'], { cwd: tmpdir() });
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('--all-clusters: there is no dist/placement.json; run synth first'),
    ]);
    expect((await cli('runs', '--all-clusters', '--context', 'eu')).code).toBe(2);
  });

  it('are watched together: a cluster that is lost is said to be so, and goes on when it is back', async () => {
    const runs = watching('runs', '--all-clusters', '--watch', '-o', 'json');
    const happened = watching('events', '--all-clusters', '--watch', '--types', 'Normal');
    const documents = () =>
      runs.stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { cluster: string; name?: string; reachable?: boolean });
    const seen = () => documents().map(({ cluster, name, reachable }) => `${cluster} ${name ?? reachable}`);
    try {
      await eventually(() => {
        expect(seen().sort()).toEqual(['eu first', 'us second']);
        expect(happened.stdout.match(/Started of \w+/g)).toEqual(['Started of first', 'Started of second']);
        return Promise.resolve();
      });
      await us.stopApiServer();
      await happened.said('warning: us: ');
      await eventually(() => Promise.resolve(expect(seen()).toContain('us false')));
      // The others go on.
      await run(eu, 'third');
      await event(eu, 'Job/third', 'Begun', 0);
      await skipped(eu, 'nightly-1');
      await eventually(() => {
        expect(seen()).toContain('eu third');
        expect(seen()).toContain('eu nightly-1');
        expect(happened.stdout).toContain('Begun of third');
        return Promise.resolve();
      });
      await us.startApiServer();
      await happened.said('us is heard again');
      await run(us, 'fourth');
      await event(us, 'Job/fourth', 'Begun', 0);
      await eventually(() => {
        expect(seen().slice(-2)).toEqual(['us true', 'us fourth']);
        expect(happened.stdout).toContain('Begun of fourth');
        return Promise.resolve();
      });
    } finally {
      for (const { child } of [runs, happened]) child.kill('SIGINT');
    }
    expect([await runs.end(), await happened.end()]).toEqual([130, 130]);
  });
});
