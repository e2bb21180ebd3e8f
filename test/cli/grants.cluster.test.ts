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

const WHO = ['viewer', 'launcher', 'operator', 'caller'] as const;
type Who = (typeof WHO)[number];

let cluster: ControlPlane;
let bench: Bench;
let directory: string;
let admin: ReturnType<typeof cliFor>;
const as = {} as Record<Who, ReturnType<typeof cliFor>>;
const clients = {} as Record<Who, KubeClient>;

/** Plans with grants for each of the accounts, and one without any, over a version of their workflows. */
function manifests(namespace: string, version: string): string {
  const chart = new Chart(new App(), 'app', { namespace });
  const [viewer, launcher, operator, caller] = WHO.map(
    (name) => new ServiceAccount(chart, name, { metadata: { name } }),
  );
  const simulated = (id: string, sim: Record<string, string>) => {
    const annotations = Object.entries(sim).map(([key, value]) => [`${annotationPrefix}${key}`, value]);
    const podTemplate = { metadata: { annotations: Object.fromEntries(annotations) } };
    return new ContainerTask(chart, id, { image: 'etl:1', command: ['etl'], podTemplate });
  };
  const load = simulated('load', { log: 'loaded', 'run-ms': '50', version });
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
  const yearly = { inputs: { site: 'x' }, schedule: Schedule.cron('0 0 1 1 *'), timeZone: 'UTC' };
  new LaunchPlan(chart, 'etl-alone', { workflow: etl, ...yearly }).grantLaunch(caller!);
  new LaunchPlan(chart, 'other', { workflow: etl, ...yearly });
  return (Testing.synth(chart) as unknown[]).map((object) => stringify(object)).join('---\n');
}

/** A kubeconfig with a token that the API server made for a service account. */
async function kubeconfigOf(account: Who): Promise<string> {
  const file = join(directory, account);
  await bench.kubeconfigOf(account, file);
  return file;
}

/** Applies a version, to one of the two plans of the group at first if it is a canary. */
async function apply(version: string, ...options: readonly string[]): Promise<void> {
  await writeFile(join(directory, 'dist/app.k8s.yaml'), manifests(bench.namespace, version));
  expect(await admin(['apply', 'dist', '--yes', ...options], { cwd: directory })).toMatchObject({ code: 0 });
}

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'grants', nodes: 1 });
  bench = await Bench.create(cluster.kubeconfigPath, 'grants');
  directory = await mkdtemp(join(tmpdir(), 'grants-'));
  admin = cliFor(cluster.kubeconfigPath, bench.namespace);
  await mkdir(join(directory, 'dist'));
  await apply('first');
  await apply('second');
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

/** What the API server says of who may not do it, and which grant would let them: sentences, and no stack. */
function refused(who: Who, verb: string, resource: string, grants: string, { code, stdout, stderr }: CliResult): void {
  const user = `system:serviceaccount:${bench.namespace}:${who}`;
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(`User "${user}" cannot ${verb} resource "${resource}"`);
  expect(stderr).toContain(`Of the grants of a plan, ${grants} to ${verb} ${resource}.\n`);
  expect(stderr).not.toMatch(/\n\s+at /);
}

/** Runs commands one after the other, each of which must do what it is to do. */
async function allowed(who: Who, commands: readonly (readonly string[])[]): Promise<void> {
  for (const args of commands) {
    const { code, stdout, stderr } = await as[who](args);
    expect({ args, code, error: code === 0 ? '' : stdout + stderr }).toEqual({ args, code: 0, error: '' });
  }
}

/** What is asked of plans that are not those of the grant, or of what the grant does not say. */
type Refusal = readonly [args: readonly string[], verb: string, resource: string, grants: string];

async function allRefused(who: Who, refusals: readonly Refusal[]): Promise<void> {
  for (const [args, verb, resource, grants] of refusals) refused(who, verb, resource, grants, await as[who](args));
}

const OPERATE = 'grantOperate allows';
const READ = 'grantView and grantOperate allow';

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

/** Waits until a gate of a run can be opened. */
async function waitsAt(run: string, gate: string): Promise<void> {
  await bench.recorded(run, ({ steps }) => steps.get(gate)?.phase === 'Waiting');
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
    const run = await started('endless');
    await allRefused('launcher', [
      [['launch', 'other'], 'get', 'cronjobs', 'grantView, grantLaunch and grantOperate allow'],
      [['deactivate', 'etl-a'], 'patch', 'cronjobs', OPERATE],
      [['pause', '--group', 'sites', '--for', '1h'], 'patch', 'cronjobs', OPERATE],
      [['cancel', run], 'patch', 'jobs', OPERATE],
      [['suspend', run], 'patch', 'jobs', OPERATE],
      [['skip', run, 'spare'], 'patch', 'jobs', OPERATE],
      [['logs', run], 'list', 'pods', READ],
    ]);
  });

  it('sees how the runs go, and of a plan alone that was granted alone only that one', async () => {
    const run = await started('etl-a');
    await inPhase(run, 'Succeeded');
    const times = ['--from', '2022-01-01', '--to', '2023-01-01'];
    await allowed('launcher', [
      ['runs'],
      ['describe', run],
      ['describe', 'plan', 'etl-a'],
      ['schedule', 'etl-a'],
      ['history', 'etl-a'],
      ['plans', '--group', 'sites'],
      ['status', '--group', 'sites'],
      ['backfill', 'etl-a', ...times],
      ['backfill', '--group', 'sites', ...times],
    ]);
    const own = await as.caller(['launch', 'etl-alone', '-o', 'name']);
    const ownRun = own.stdout.trim().replace('job.batch/', '');
    await inPhase(ownRun, 'Succeeded');
    await allowed('caller', [
      ['runs'],
      ['describe', ownRun],
      ['describe', 'plan', 'etl-alone'],
      ['schedule', 'etl-alone'],
      ['history', 'etl-alone'],
      ['backfill', 'etl-alone', ...times],
    ]);
    await allRefused('caller', [
      [['plans'], 'list', 'cronjobs', 'grantView, grantLaunch and grantOperate allow'],
      [['launch', 'etl-a'], 'get', 'cronjobs', 'grantView, grantLaunch and grantOperate allow'],
    ]);
  });
});

describe('who may view', () => {
  it.each(['viewer', 'operator'] as const)(
    'sees plans, runs, what they log, and what happened, as a %s',
    async (who) => {
      const run = await started('etl-b');
      await inPhase(run, 'Succeeded');
      await eventually(async () =>
        expect(await bench.events(run)).toContainEqual(expect.stringMatching(/^RunStarted/)),
      );
      const seen: readonly (readonly [readonly string[], string])[] = [
        [['plans'], 'etl-a'],
        [['plans', '--group', 'sites'], 'etl-b'],
        [['describe', 'plan', 'etl-b'], 'schedule'],
        [['schedule', 'etl-b', '--next', '1'], '-01-01T00:00'],
        [['history', 'etl-b'], 'VERSION'],
        [['status'], 'etl-b'],
        [['status', '--group', 'sites'], 'etl-b'],
        [['runs'], run],
        [['runs', '--group', 'sites'], run],
        [['describe', run], 'Succeeded'],
        [['logs', run], 'loaded'],
        [['logs', run, '--follow'], 'loaded'],
        [['events'], 'RunStarted'],
        [['events', '--for', `run/${run}`], run],
        [['events', '--for', 'plan/etl-b'], run],
      ];
      for (const [args, expected] of seen) {
        const { code, stdout, stderr } = await as[who](args);
        expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
        expect(stdout).toContain(expected);
      }
    },
  );

  it('is refused all that changes something', async () => {
    await apply('third', '--canary', '50%');
    const run = await started('ask-first');
    await waitsAt(run, 'ask');
    const ended = await started('etl-a');
    await inPhase(ended, 'Succeeded');
    const times = ['--from', '2024-01-01', '--to', '2026-01-01'];
    await allRefused('viewer', [
      [['launch', 'etl-a'], 'create', 'jobs', 'grantLaunch and grantOperate allow'],
      [['launch', '--group', 'sites'], 'create', 'jobs', 'grantLaunch and grantOperate allow'],
      [['rerun', ended, '--all'], 'create', 'jobs', 'grantLaunch and grantOperate allow'],
      [['backfill', 'etl-a', ...times], 'create', 'jobs', 'grantLaunch and grantOperate allow'],
      [['cancel', run], 'patch', 'jobs', OPERATE],
      [['suspend', run], 'patch', 'jobs', OPERATE],
      [['approve', run, 'ask'], 'patch', 'jobs', OPERATE],
      [['deactivate', 'etl-a'], 'patch', 'cronjobs', OPERATE],
      [['deactivate', '--group', 'sites'], 'patch', 'cronjobs', OPERATE],
      [['pause', 'etl-a', '--for', '1h'], 'patch', 'cronjobs', OPERATE],
      [['promote', '--group', 'sites'], 'patch', 'cronjobs', OPERATE],
      [['rollback', 'etl-a'], 'patch', 'cronjobs', OPERATE],
      [['rollback', '--group', 'sites'], 'patch', 'cronjobs', OPERATE],
    ]);
    await expect(clients.viewer.list(secrets)).rejects.toThrow('cannot list resource "secrets"');
  });
});

describe('who may operate', () => {
  it('controls runs', async () => {
    const run = await started('ask-first');
    await waitsAt(run, 'ask');
    await allowed('operator', [['approve', run, 'ask']]);
    await waitsAt(run, 'number');
    await allowed('operator', [['answer', run, 'number', '3']]);
    await inPhase(run, 'Succeeded');
    await allowed('operator', [['logs', run]]);

    const long = await started('endless');
    await allowed('operator', [
      ['suspend', long],
      ['resume', long],
      ['skip', long, 'spare'],
      ['cancel', long],
    ]);
    await inPhase(long, 'Cancelled');
    await allowed('operator', [['rerun', long, '--name', 'again']]);
    await clients.operator.delete(jobs, 'again', { propagationPolicy: 'Background' });
  });

  it('launches and switches plans', async () => {
    const times = ['--from', '2024-01-01', '--to', '2026-01-01'];
    await allowed('operator', [
      ['launch', 'etl-a', '--wait'],
      ['launch', '--group', 'sites'],
      ['deactivate', 'etl-a'],
      ['activate', 'etl-a'],
      ['deactivate', '--group', 'sites'],
      ['activate', '--group', 'sites'],
      ['pause', 'etl-a', '--for', '1h'],
      ['resume', 'etl-a'],
      ['pause', '--group', 'sites', '--for', '1h'],
      ['activate', '--group', 'sites'],
      ['backfill', 'etl-a', ...times, '--dry-run'],
      ['backfill', 'etl-a', ...times],
      ['backfill', '--group', 'sites', ...times],
    ]);
  });

  it('moves plans to the version that was applied last, and back', async () => {
    const versions = async () => {
      const { items } = await bench.client.list(cronJobs, { labelSelector: 'cdk8s-workflows.dev/group=sites' });
      return items.map(({ metadata }) => metadata.labels!['cdk8s-workflows.dev/version']);
    };
    await apply('fourth');
    await allowed('operator', [['promote', '--group', 'sites']]);
    await apply('fifth', '--canary', '50%');
    const [a, b] = await versions();
    expect(a).not.toBe(b);
    await allowed('operator', [
      ['promote', '--group', 'sites', '--dry-run'],
      ['promote', '--group', 'sites'],
    ]);
    const [now, same] = await versions();
    expect(now).toBe(same);
    await allowed('operator', [
      ['rollback', 'etl-a', '--dry-run'],
      ['rollback', 'etl-a'],
    ]);
    expect((await versions())[0]).not.toBe(now);
    await allowed('operator', [['promote', 'etl-a']]);
    expect(await versions()).toEqual([now, now]);
    await allowed('operator', [['rollback', '--group', 'sites']]);
    expect(await versions()).not.toContain(now);
    await allowed('operator', [['promote', '--group', 'sites']]);
    expect(await versions()).toEqual([now, now]);
  });

  it('is refused plans that it was not granted, and all that makes plans', async () => {
    await allRefused('operator', [
      [['deactivate', 'other'], 'patch', 'cronjobs', OPERATE],
      [['pause', 'other', '--for', '1h'], 'patch', 'cronjobs', OPERATE],
      [['rollback', 'other'], 'patch', 'cronjobs', OPERATE],
    ]);
    await expect(clients.operator.delete(cronJobs, 'etl-a')).rejects.toThrow('cannot delete resource "cronjobs"');
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'own' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    };
    await expect(clients.operator.create(pods, pod)).rejects.toThrow('cannot create resource "pods"');
    const { code, stdout } = await as.operator(['apply', 'dist', '--yes', '--force-conflicts'], { cwd: directory });
    expect(code).toBe(1);
    expect(stdout).toContain('may not create, patch roles.rbac.authorization.k8s.io');
    expect(stdout).toContain('nothing was applied');
  });
});
