import { App, Chart, Testing } from 'cdk8s';
import { ServiceAccount } from 'cdk8s-plus-28';
import { ContainerTask, LaunchPlan, LaunchPlanGroup, Schedule, Workflow, z } from 'cdk8s-workflows';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { KubeClient } from '../../lib/kube/client.ts';
import { cronJobs, jobs, pods, secrets } from '../../lib/kube/resources.ts';
import { annotationPrefix } from '../cluster/behaviour.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { Bench } from '../controller/support.ts';
import { cliFor, type CliResult } from './cluster-cli.ts';

const WHO = ['viewer', 'launcher', 'operator'] as const;
type Who = (typeof WHO)[number];

let cluster: ControlPlane;
let bench: Bench;
let directory: string;
let admin: ReturnType<typeof cliFor>;
const as = {} as Record<Who, ReturnType<typeof cliFor>>;
const clients = {} as Record<Who, KubeClient>;

/** Plans with grants for each of the accounts, and one without any. */
function manifests(namespace: string): string {
  const chart = new Chart(new App(), 'app', { namespace });
  const [viewer, launcher, operator] = WHO.map((name) => new ServiceAccount(chart, name, { metadata: { name } }));
  const simulated = (id: string, sim: Record<string, string>) => {
    const annotations = Object.entries(sim).map(([key, value]) => [`${annotationPrefix}${key}`, value]);
    const podTemplate = { metadata: { annotations: Object.fromEntries(annotations) } };
    return new ContainerTask(chart, id, { image: 'etl:1', command: ['etl'], podTemplate });
  };
  const load = simulated('load', { log: 'loaded', 'run-ms': '50' });
  const stuck = simulated('stuck', { stuck: 'Running' });
  const etl = new Workflow(chart, 'etl', { inputs: { site: z.string() } }, ({ step }) => void step('load', load, {}));
  const guarded = new Workflow(chart, 'guarded', {}, ({ step, approve, waitForInput }) => {
    step('load', load, {}).after(approve('ask'));
    step('more', load, {}).after(waitForInput('number', z.int()));
  });
  const long = new Workflow(chart, 'long', {}, ({ step }) => {
    const first = step('stuck', stuck, {});
    step('spare', load, {}).after(first);
  });
  const group = new LaunchPlanGroup(chart, 'sites', {
    workflow: etl,
    over: { site: ['a', 'b'] },
    schedule: Schedule.cron('0 0 1 1 *'),
    timeZone: 'UTC',
  });
  const plans = [
    new LaunchPlan(chart, 'ask-first', { workflow: guarded }),
    new LaunchPlan(chart, 'endless', { workflow: long }),
  ];
  for (const granted of [group, ...plans]) granted.grantView(viewer!).grantLaunch(launcher!).grantOperate(operator!);
  new LaunchPlan(chart, 'other', { workflow: etl, inputs: { site: 'x' }, schedule: Schedule.cron('0 0 1 1 *') });
  return (Testing.synth(chart) as unknown[]).map((object) => stringify(object)).join('---\n');
}

/** A kubeconfig with a token that the API server made for a service account. */
async function kubeconfigOf(account: Who): Promise<string> {
  const file = join(directory, account);
  await bench.kubeconfigOf(account, file);
  return file;
}

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'grants', nodes: 1 });
  bench = await Bench.create(cluster.kubeconfigPath, 'grants');
  directory = await mkdtemp(join(tmpdir(), 'grants-'));
  admin = cliFor(cluster.kubeconfigPath, bench.namespace);
  await mkdir(join(directory, 'dist'));
  await writeFile(join(directory, 'dist/app.k8s.yaml'), manifests(bench.namespace));
  expect(await admin(['apply', 'dist', '--yes'], { cwd: directory })).toMatchObject({ code: 0 });
  for (const who of WHO) {
    const kubeconfig = await kubeconfigOf(who);
    as[who] = cliFor(kubeconfig, bench.namespace);
    clients[who] = await KubeClient.fromKubeconfig({ kubeconfig, namespace: bench.namespace });
  }
  await bench.controller();
});

afterAll(async () => {
  await Promise.all(Object.values(clients).map((client) => client.close()));
  await bench?.close();
  await cluster?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** What the API server says of who may not do it: a sentence, and no stack. */
function refused(who: Who, verb: string, resource: string, { code, stdout, stderr }: CliResult): void {
  const user = `system:serviceaccount:${bench.namespace}:${who}`;
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(`User "${user}" cannot ${verb} resource "${resource}"`);
  expect(stderr).not.toMatch(/\n\s+at /);
}

async function started(plan: string): Promise<string> {
  const { stdout } = await as.launcher(['launch', plan, '-o', 'name']);
  return stdout.trim().replace('job.batch/', '');
}

async function inPhase(run: string, phase: string): Promise<void> {
  await eventually(async () => {
    const { stdout } = await admin(['describe', run, '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({ phase });
  }, 30_000);
}

describe('who may launch', () => {
  it('starts runs of the plan, waits for them and changes their pods', async () => {
    expect(await as.launcher(['launch', 'etl-a', '--wait'])).toMatchObject({ code: 0 });
    expect(await as.launcher(['launch', 'etl-a', '--watch'])).toMatchObject({ code: 0 });
    const changed = ['launch', 'etl-a', '--name', 'changed', '--wait', '--set'];
    const wrong = await as.launcher([...changed, 'load.spec.containers[main].resources.limits.memory=lots']);
    expect(wrong.stderr).toContain('lots');
    expect(await as.launcher([...changed, 'load.spec.hostname=changed'])).toMatchObject({ code: 0 });
    const [pod] = await bench.pods('changed');
    expect(pod?.spec).toMatchObject({ hostname: 'changed' });
  });

  it('starts runs of a whole group', async () => {
    const { code, stdout } = await as.launcher(['launch', '--group', 'sites', '-o', 'name']);
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(2);
  });

  it('is refused all else', async () => {
    refused('launcher', 'get', 'cronjobs', await as.launcher(['launch', 'other']));
    refused('launcher', 'patch', 'cronjobs', await as.launcher(['deactivate', 'etl-a']));
    const run = await started('endless');
    refused('launcher', 'patch', 'jobs', await as.launcher(['cancel', run]));
    refused('launcher', 'list', 'pods', await as.launcher(['logs', run]));
  });
});

describe('who may view', () => {
  it('sees plans, runs, what they log, and what happened', async () => {
    const run = await started('etl-b');
    await inPhase(run, 'Succeeded');
    const seen: readonly (readonly [readonly string[], string])[] = [
      [['plans'], 'etl-a'],
      [['plans', '--group', 'sites'], 'etl-b'],
      [['status', '--group', 'sites'], 'etl-b'],
      [['runs'], run],
      [['describe', 'plan', 'etl-b'], 'schedule'],
      [['describe', run], 'Succeeded'],
      [['logs', run], 'loaded'],
      [['events', '--for', run], run],
      [['history', 'etl-b'], 'VERSION'],
      [['logs', run, '--follow'], 'loaded'],
      [['schedule', 'etl-b', '--next', '1'], '-01-01T00:00'],
    ];
    for (const [args, expected] of seen) {
      const { code, stdout, stderr } = await as.viewer(args);
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      expect(stdout).toContain(expected);
    }
  });

  it('is refused all that changes something', async () => {
    const run = await started('ask-first');
    refused('viewer', 'create', 'jobs', await as.viewer(['launch', 'etl-a']));
    refused('viewer', 'patch', 'jobs', await as.viewer(['cancel', run]));
    refused('viewer', 'patch', 'jobs', await as.viewer(['suspend', run]));
    refused('viewer', 'patch', 'cronjobs', await as.viewer(['deactivate', 'etl-a']));
    await eventually(async () => refused('viewer', 'patch', 'jobs', await as.viewer(['approve', run, 'ask'])), 20_000);
    await expect(clients.viewer.list(secrets)).rejects.toThrow('cannot list resource "secrets"');
  });
});

describe('who may operate', () => {
  it('controls runs', async () => {
    const run = await started('ask-first');
    await eventually(async () => expect(await as.operator(['approve', run, 'ask'])).toMatchObject({ code: 0 }), 20_000);
    await eventually(
      async () => expect(await as.operator(['answer', run, 'number', '3'])).toMatchObject({ code: 0 }),
      20_000,
    );
    await inPhase(run, 'Succeeded');

    const long = await started('endless');
    const commands = [
      ['suspend', long],
      ['resume', long],
      ['skip', long, 'spare'],
      ['cancel', long],
    ] as const;
    for (const args of commands) {
      const { code, stderr } = await as.operator(args);
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
    }
    await inPhase(long, 'Cancelled');
    expect(await as.operator(['rerun', long, '--name', 'again'])).toMatchObject({ code: 0 });
    await clients.operator.delete(jobs, 'again', { propagationPolicy: 'Background' });
    expect(await as.operator(['logs', run])).toMatchObject({ code: 0 });
  });

  it('switches and launches the plans that it was granted, and no others', async () => {
    for (const command of ['deactivate', 'activate']) {
      expect(await as.operator([command, 'etl-a'])).toMatchObject({ code: 0 });
      expect(await as.operator([command, '--group', 'sites'])).toMatchObject({ code: 0 });
    }
    expect(await as.operator(['launch', 'etl-a', '--wait'])).toMatchObject({ code: 0 });
    for (const args of [
      ['backfill', 'etl-a', '--from', '2024-01-01', '--to', '2026-01-01'],
      ['pause', 'etl-a', '--for', '1h'],
    ]) {
      const { code, stderr } = await as.operator(args);
      expect({ args, code, stderr }).toMatchObject({ args, code: 0 });
    }
    refused('operator', 'patch', 'cronjobs', await as.operator(['deactivate', 'other']));
    await expect(clients.operator.delete(cronJobs, 'etl-a')).rejects.toThrow('cannot delete resource "cronjobs"');
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'own' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    };
    await expect(clients.operator.create(pods, pod)).rejects.toThrow('cannot create resource "pods"');
  });
});
