import type { Chart } from 'cdk8s';
import { Testing } from 'cdk8s';
import { ContainerTask, LaunchPlanGroup, Schedule, Workflow, z } from 'cdk8s-workflows';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { SCHEDULED_AT } from '../../lib/graph/labels.ts';
import type { NewObject } from '../../lib/kube/objects.ts';
import { cronJobs, jobs, pods } from '../../lib/kube/resources.ts';
import type { PlanCronJob } from '../../lib/runs/run-objects.ts';
import { eventually } from '../cluster/eventually.ts';
import type { Bench } from '../controller/support.ts';
import type { cliFor } from './cluster-cli.ts';
import { steady } from './cluster-cli.ts';
import { startSampleCluster, type SampleCluster } from './sample-cluster.ts';

const SITES = ['site-a', 'site-b', 'site-c'];

let sample: SampleCluster;
let bench: Bench;
let directory: string;
let cli: ReturnType<typeof cliFor>;

/** The manifests of a group of plans, as a user's app makes them. */
function groupOf(sites: readonly string[], labels: Record<string, string> = {}): string {
  const chart = Testing.chart();
  const task = new ContainerTask(chart, 'load', {
    image: 'etl:1',
    command: ['etl'],
    inputs: { site: z.string() },
    podTemplate: { metadata: { annotations: { 'sim.test/run-ms': '100' } } },
  });
  const runDefaults = { parallelism: 7, env: { LEVEL: 'info' } };
  const inputs = { site: z.string(), day: z.string().default('today') };
  const workflow = new Workflow(chart, 'load-site', { inputs, runDefaults }, ({ inputs: given, step }) => {
    step('load', task, { site: given.site });
  });
  new LaunchPlanGroup(chart as Chart, 'sites', {
    workflow,
    over: { site: sites },
    schedule: Schedule.cron('0 0 1 1 *'),
    timeZone: 'Europe/Berlin',
    labels,
  });
  return (Testing.synth(chart) as unknown[]).map((object) => stringify(object)).join('---\n');
}

const apply = async (sites: readonly string[], labels?: Record<string, string>, ...options: string[]) => {
  await writeFile(join(directory, 'dist/app.k8s.yaml'), groupOf(sites, labels));
  return cli(['apply', 'dist', '--yes', ...options], { cwd: directory });
};
beforeAll(async () => {
  sample = await startSampleCluster('plans');
  ({ bench, cli } = sample);
  directory = await mkdtemp(join(tmpdir(), 'plans-'));
  await mkdir(join(directory, 'dist'));
  await bench.controller();
});

afterAll(async () => {
  await sample?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('a group of plans', () => {
  it('is applied, and listed with schedules and zones', async () => {
    expect(await apply(SITES)).toMatchObject({ code: 0 });
    const { stdout } = await cli(['plans', '--group', 'sites']);
    expect(steady(stdout).replaceAll(/in \d+d/g, 'in <n>d')).toBe(
      [
        'NAME GROUP SCHEDULE ZONE ACTIVE LAST RUN NEXT',
        ...SITES.map((site) => `load-site-${site} sites 0 0 1 1 * Europe/Berlin yes - in <n>d`),
        '',
      ].join('\n'),
    );
    const all = JSON.parse((await cli(['plans', '-o', 'json'])).stdout) as { name: string; group?: string }[];
    expect(all.map(({ name, group }) => [name, group])).toContainEqual(['etl-site-a', undefined]);
    expect((await cli(['plans', '-g', 'site'])).stderr).toContain('No plans of group site found in namespace');
    expect((await cli(['activate', '-g', 'site'])).stderr).toContain('did you mean "sites"?');
  });

  it('is launched as a whole once all of its plans were checked', async () => {
    const refused = await cli(['launch', '--group', 'sites', '-i', 'dya=1']);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain(
      'error: Nothing of group sites was launched:\n  --input dya: is not known; did you mean "day"?\n',
    );
    expect((await bench.client.list(jobs)).items).toEqual([]);

    const launched = await cli(['launch', '--group', 'sites', '-i', 'day=monday', '-o', 'name']);
    expect(launched.stdout.trim().split('\n')).toHaveLength(3);
    await eventually(async () => {
      const runs = JSON.parse((await cli(['runs', '--group', 'sites', '-o', 'json'])).stdout) as { phase: string }[];
      expect(runs.map(({ phase }) => phase)).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
    }, 30_000);
    const { stdout } = await cli(['status', '--group', 'sites']);
    expect(steady(stdout).replaceAll(/-[a-z0-9]{5}$/gm, '-<x>')).toBe(
      [
        'PLAN ACTIVE PHASE STEPS AGE DURATION RUN',
        ...SITES.map((site) => `load-site-${site} yes Succeeded 1/1 <n>s <n>s load-site-${site}-<x>`),
        '',
      ].join('\n'),
    );
    const [pod] = (await bench.client.list(pods, { labelSelector: 'cdk8s-workflows.dev/group' })).items;
    expect(pod?.metadata.labels?.['cdk8s-workflows.dev/group']).toBe('sites');
    expect((await cli(['launch', '--group', 'sites', '--name', 'x'])).stderr).toContain('--name is for one run');
    expect((await cli(['launch'])).stderr).toContain('name a launch plan, or give --group');
  });

  it('is switched off and on, one plan or all', async () => {
    expect((await cli(['deactivate', 'load-site-site-a'])).stdout).toBe('plan load-site-site-a deactivated\n');
    expect((await cli(['deactivate', 'load-site-site-a'])).stdout).toBe('plan load-site-site-a is inactive already\n');
    expect(steady((await cli(['plans', '-g', 'sites'])).stdout)).toMatch(
      /load-site-site-a sites 0 0 1 1 \* Europe\/Berlin no, by hand Succeeded, <n>s ago -\n/,
    );

    expect((await cli(['deactivate', '--group', 'sites'])).stdout).toBe(
      'plan load-site-site-a is inactive already\nplan load-site-site-b deactivated\nplan load-site-site-c deactivated\n',
    );
    expect((await cli(['activate', '--group', 'sites'])).stdout).toBe(
      SITES.map((site) => `plan load-site-${site} activated\n`).join(''),
    );
  });

  it('is paused until a time, which apply keeps, and goes on when it is told to', async () => {
    const plan = async (name: string) =>
      (JSON.parse((await cli(['plans', '-g', 'sites', '-o', 'json'])).stdout) as { name: string }[]).find(
        (each) => each.name === name,
      );
    const { stdout } = await cli(['pause', 'load-site-site-a', '--until', '2100-01-01T01:00+01:00']);
    expect(stdout).toMatch(/^plan load-site-site-a paused until 2100-01-01T00:00:00Z, for \d+y\n$/);
    const paused = { pausedUntil: '2100-01-01T00:00:00Z', byHand: true, nextAt: '2100-12-31T23:00:00Z' };
    expect(await plan('load-site-site-a')).toMatchObject(paused);
    expect((await cli(['plans', '-g', 'sites'])).stdout).toContain('paused until 2100-01-01T00:00:00Z, by hand');
    expect(await apply(SITES, { tier: 'low' })).toMatchObject({ code: 0 });
    expect(await plan('load-site-site-a')).toMatchObject(paused);
    expect((await cli(['describe', 'plan', 'load-site-site-a'])).stdout).toMatch(
      /pausedUntil +2100-01-01T00:00:00Z +by hand\n/,
    );
    // As Kubernetes fires it meanwhile.
    const { metadata, spec } = await bench.client.get<PlanCronJob>(cronJobs, 'load-site-site-a');
    const at = '2030-01-01T00:00:00Z';
    await bench.client.create(jobs, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        ...spec.jobTemplate.metadata,
        name: 'load-site-site-a-31556160',
        annotations: { ...spec.jobTemplate.metadata?.annotations, [SCHEDULED_AT]: at },
        ownerReferences: [
          { apiVersion: 'batch/v1', kind: 'CronJob', name: metadata.name, uid: metadata.uid!, controller: true },
        ],
      } as NewObject['metadata'],
      spec: spec.jobTemplate.spec,
    });
    await eventually(async () => {
      const { stdout: rows } = await cli(['runs', '--plan', 'load-site-site-a', '--phase', 'Skipped', '-o', 'json']);
      expect(JSON.parse(rows)).toEqual([
        {
          name: 'load-site-site-a-31556160',
          namespace: bench.namespace,
          plan: 'load-site-site-a',
          workflow: 'load-site',
          phase: 'Skipped',
          reason: 'PlanPaused',
          message: 'the plan is paused until 2100-01-01T00:00:00Z',
          createdAt: at,
        },
      ]);
    });
    expect((await cli(['runs', '--group', 'sites', '-o', 'wide'])).stdout).toMatch(
      /load-site-site-a-31556160 +load-site-site-a +Skipped +- .* the plan is paused until/,
    );
    expect((await cli(['runs', '--group', 'sites', '-o', 'name'])).stdout).not.toContain('31556160');
    expect((await cli(['resume', 'load-site-site-a'])).stdout).toBe(
      'plan load-site-site-a resumed: its pause is over\n',
    );
    expect((await cli(['resume', 'load-site-site-a'])).stderr).toContain(
      'load-site-site-a is a launch plan; its schedule is switched by: cdk8s-workflows activate load-site-site-a',
    );

    const all = await cli(['pause', '--group', 'sites', '--for', '2h']);
    expect(all.stdout).toMatch(/^(plan load-site-site-. paused until \S+Z, for (2h|1\d\dm)\n){3}$/);
    expect((await cli(['activate', '--group', 'sites'])).stdout).toBe(
      SITES.map((site) => `plan load-site-${site} activated: its pause is over\n`).join(''),
    );
    expect(await plan('load-site-site-a')).not.toHaveProperty('pausedUntil');
    await apply(SITES);
  });

  it('is not paused for no time, nor for one that is over', async () => {
    expect((await cli(['pause', 'load-site-site-a'])).stderr).toContain('say for how long: --for 2h, or --until');
    expect((await cli(['pause', 'load-site-site-a', '--until', '2020-01-01T00:00Z'])).stderr).toContain(
      '--until 2020-01-01T00:00:00Z is over: it is',
    );
    const both = ['pause', 'load-site-site-a', '--until', '2100-01-01T00:00Z', '--for', '2h'];
    expect((await cli(both)).stderr).toContain('option "--until <time>" cannot be used with option "--for <duration>"');
  });

  it('is described with who set what', async () => {
    await cli(['deactivate', 'load-site-site-c']);
    const { stdout } = await cli(['describe', 'plan', 'load-site-site-c']);
    const [head, settings] = steady(stdout).split('\nSettings:\n');
    expect(head).toMatch(
      /^Plan: load-site-site-c\nNamespace: plans-\w+\nGroup: sites\nWorkflow: load-site \(version \w+\)\n/,
    );
    expect(head).toContain('Schedule: 0 0 1 1 * (Europe/Berlin)\nActive: no, by hand\nLast run: load-site-site-c-');
    expect(settings).toBe(
      [
        ' SETTING VALUE SET BY',
        ' schedule 0 0 1 1 * group',
        ' timeZone Europe/Berlin group',
        ' suspended true by hand',
        ' concurrencyPolicy Forbid default',
        ' successfulRunsHistoryLimit 3 default',
        ' failedRunsHistoryLimit 3 default',
        ' parallelism 7 workflow',
        ' failurePolicy FinishRunning default',
        ' fixedInputs.site site-c group',
        ' env.LEVEL info workflow',
        '',
      ].join('\n'),
    );
    expect((await cli(['describe', 'plan/load-site-site-c', '-o', 'json'])).stdout).toContain('"setBy": "by hand"');
    expect((await cli(['describe', 'plan', 'load-site-site-d'])).stderr).toContain('did you mean "load-site-site-');
  });

  it('says what activating does not do', async () => {
    expect((await cli(['activate', 'slow'])).stderr).toBe(
      'warning: plan slow has no schedule: it starts no runs by itself\n',
    );
    expect((await cli(['activate', 'slow', '--group', 'sites'])).stderr).toContain('name a plan, or give --group');
  });
});
