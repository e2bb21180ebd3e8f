import type { Chart } from 'cdk8s';
import { Testing } from 'cdk8s';
import { ContainerTask, LaunchPlanGroup, Schedule, Workflow, z } from 'cdk8s-workflows';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { plannedGraph } from '../../lib/fleet/held-plan.ts';
import { annotations } from '../../lib/graph/labels.ts';
import type { KubeObject } from '../../lib/kube/objects.ts';
import { cronJobs } from '../../lib/kube/resources.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { Bench } from '../controller/support.ts';
import { cliFor } from './cluster-cli.ts';

const SITES = Array.from({ length: 10 }, (_, index) => `s${index}`);

let cluster: ControlPlane;
let bench: Bench;
let directory: string;
let cli: ReturnType<typeof cliFor>;
/** The graph of each version, by its number. */
const graphs: string[] = [];

/** A group of plans of some version of a workflow. From the second on it has an input more, which the plans give. */
function groupOf(version: number, hour: number): readonly object[] {
  const chart = Testing.chart();
  const shape = { site: z.string(), ...(version > 1 && { mode: z.string() }) } as { site: z.ZodString };
  const task = new ContainerTask(chart, 'load', {
    image: `etl:${version}`,
    command: ['etl'],
    inputs: { site: z.string() },
  });
  const workflow = new Workflow(chart, 'etl', { inputs: shape }, ({ inputs, step }) => {
    step('load', task, { site: inputs.site });
  });
  new LaunchPlanGroup(chart as Chart, 'sites', {
    workflow,
    over: { site: SITES },
    ...(version > 1 && { inputs: { mode: 'fast' } as object }),
    schedule: Schedule.cron(`0 ${hour} 1 1 *`),
  });
  return Testing.synth(chart) as object[];
}

async function synth(version: number, hour: number): Promise<void> {
  const objects = groupOf(version, hour);
  graphs[version] = plannedGraph((objects as KubeObject[]).find(({ kind }) => kind === 'CronJob')!)!;
  await writeFile(join(directory, 'dist/app.k8s.yaml'), objects.map((object) => stringify(object)).join('---\n'));
}

async function apply(version: number, hour: number, ...options: string[]) {
  await synth(version, hour);
  return cli(['apply', 'dist', '--yes', '-o', 'json', ...options], { cwd: directory });
}

async function plans(): Promise<readonly KubeObject[]> {
  return (await bench.client.list(cronJobs, { labelSelector: 'cdk8s-workflows.dev/group=sites' })).items;
}

/** How many plans are of each version. */
async function versions(): Promise<Record<number, number>> {
  const found = (await plans()).map((plan) => graphs.indexOf(plannedGraph(plan)!));
  return Object.fromEntries(
    [...new Set(found)].map((version) => [version, found.filter((each) => each === version).length]),
  );
}

const on = async (version: number) =>
  (await plans()).filter((plan) => plannedGraph(plan) === graphs[version]).map(({ metadata }) => metadata.name);

const unchanged = ({ stdout }: { stdout: string }) =>
  (JSON.parse(stdout) as { clusters: { objects: { outcome: string }[] }[] }).clusters[0]!.objects.every(
    ({ outcome }) => outcome === 'unchanged',
  );

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'canary', scheduler: false });
  bench = await Bench.create(cluster.kubeconfigPath, 'canary');
  cli = cliFor(cluster.kubeconfigPath, bench.namespace);
  directory = await mkdtemp(join(tmpdir(), 'canary-'));
  await mkdir(join(directory, 'dist'));
  expect(await apply(1, 1)).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
  await rm(directory, { recursive: true, force: true });
});

// One after the other: a rollout, as a team does it.
describe('a new version of a group', () => {
  it('comes to a share of its plans; the others keep all that their runs are made of, and take the rest', async () => {
    await synth(2, 2);
    const shown = await cli(['diff', 'dist', '--canary', 'sites=20%'], { cwd: directory });
    expect(shown).toMatchObject({ code: 1 });
    expect(shown.stdout.match(/annotations\[cdk8s-workflows.dev\/next\]: "a plan of version \w+"/g)).toHaveLength(8);
    expect(shown.stdout.match(/annotations\[cdk8s-workflows.dev\/previous\]: "a plan of version \w+"/g)).toHaveLength(
      2,
    );
    const result = await apply(2, 2, '--canary', 'sites=20%');
    expect(result).toMatchObject({ code: 0 });
    expect(result.stderr).toMatch(
      /note: dist: held at the version they have: etl-s\d, .* and 3 more; .* promote lets them go on/,
    );
    expect(await versions()).toEqual({ 1: 8, 2: 2 });
    for (const plan of await plans()) {
      const { schedule, jobTemplate } = plan.spec as { schedule: string; jobTemplate: object };
      expect(schedule).toBe('0 2 1 1 *');
      const held = plannedGraph(plan) === graphs[1];
      expect(JSON.stringify(jobTemplate).includes('fast')).toBe(!held);
    }
    const { stdout } = await cli(['plans', '--group', 'sites']);
    expect(stdout.match(/, held from/g)).toHaveLength(8);
    expect((await cli(['status', '--group', 'sites'])).stdout).toContain('VERSION');
    const [held] = await on(1);
    const history = JSON.parse((await cli(['history', held!, '-o', 'json'])).stdout) as object[];
    expect(history).toHaveLength(2);
    expect(history).toContainEqual(expect.objectContaining({ graph: graphs[1], current: true, next: false }));
    expect(history).toContainEqual(expect.objectContaining({ graph: graphs[2], current: false, next: true }));
  });

  it('stays with these when it is applied again, with or without the share, and nothing is written', async () => {
    for (const options of [[], ['--canary', '20%'], ['--canary', '10%']]) {
      const again = await apply(2, 2, ...options);
      expect(again).toMatchObject({ code: 0 });
      expect(unchanged(again)).toBe(true);
    }
    expect(await versions()).toEqual({ 1: 8, 2: 2 });
    expect(await cli(['diff', 'dist'], { cwd: directory })).toMatchObject({ code: 0 });
  });

  it('is taken back from those with all that came with it, and they try it again', async () => {
    const first = await on(2);
    expect(await cli(['rollback', '--group', 'sites'])).toMatchObject({ code: 0 });
    expect(await versions()).toEqual({ 1: 10 });
    for (const { spec } of await plans()) expect(JSON.stringify(spec)).not.toContain('fast');
    expect(unchanged(await apply(2, 2))).toBe(true);
    expect(await apply(2, 2, '--canary', '20%')).toMatchObject({ code: 0 });
    expect(await on(2)).toEqual(first);
  });

  it('comes to more of them when the share grows, and none goes back', async () => {
    const before = await on(2);
    expect(await apply(2, 2, '--canary', '50%')).toMatchObject({ code: 0 });
    expect(await versions()).toEqual({ 1: 5, 2: 5 });
    expect(await on(2)).toEqual(expect.arrayContaining(before));
  });

  it('comes to the rest when it is promoted, as apply would have written it', async () => {
    const [one] = await on(1);
    expect((await cli(['promote', one!, '--dry-run'])).stdout).toContain('(dry run)');
    expect(await versions()).toEqual({ 1: 5, 2: 5 });
    const activated = await cli(['deactivate', one!]);
    expect(activated).toMatchObject({ code: 0 });
    const result = await cli(['promote', '--group', 'sites']);
    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout.trim().split('\n')).toHaveLength(5);
    expect(await versions()).toEqual({ 2: 10 });
    expect((await cli(['promote', '--group', 'sites'])).stdout).toContain('nothing of group sites is held');
    const again = await apply(2, 2);
    expect(unchanged(again)).toBe(true);
    const left = (await plans()).find(({ metadata }) => metadata.name === one)!;
    expect(left.spec).toMatchObject({ suspend: true });
    expect(await cli(['activate', one!])).toMatchObject({ code: 0 });
  });

  it('is taken back from those that have it, and stays so until it is promoted', async () => {
    expect(await apply(3, 3, '--canary', '30%')).toMatchObject({ code: 0 });
    expect(await versions()).toEqual({ 2: 7, 3: 3 });
    const back = await cli(['rollback', '--group', 'sites']);
    expect(back).toMatchObject({ code: 0 });
    expect(back.stdout.trim().split('\n')).toHaveLength(3);
    expect(back.stderr).toContain('apply leaves it at this version');
    expect(await versions()).toEqual({ 2: 10 });
    expect(unchanged(await apply(3, 3))).toBe(true);
    expect(await versions()).toEqual({ 2: 10 });
    // The next one is tried in the same way, by the same plans.
    expect(await apply(4, 3, '--canary', '30%')).toMatchObject({ code: 0 });
    expect(await versions()).toEqual({ 2: 7, 4: 3 });
    expect(await cli(['promote', '--group', 'sites'])).toMatchObject({ code: 0 });
    expect(await versions()).toEqual({ 4: 10 });
  });

  it('is refused by name, and where a part of it is gone, before anything is written', async () => {
    const unknown = await apply(4, 3, '--canary', 'site=10%');
    expect(unknown).toMatchObject({ code: 2 });
    expect(unknown.stderr).toContain('--canary site: is no group of the directory; did you mean "sites"?');
    expect(await cli(['diff', 'dist', '--canary', 'site=10%'], { cwd: directory })).toMatchObject({ code: 2 });
    expect(await cli(['apply', 'dist', '--canary', 'many'], { cwd: directory })).toMatchObject({ code: 2 });
    expect((await cli(['promote'])).stderr).toContain('name a plan, or give --group');
  });

  it('is all there at once when conflicts are forced', async () => {
    expect(await cli(['rollback', 'etl-s0', '--to', graphs[2]!])).toMatchObject({ code: 0 });
    expect(await versions()).toEqual({ 2: 1, 4: 9 });
    expect(await apply(4, 3)).toMatchObject({ code: 0 });
    expect(await versions()).toEqual({ 2: 1, 4: 9 });
    expect(await apply(4, 3, '--force-conflicts')).toMatchObject({ code: 0 });
    expect(await versions()).toEqual({ 4: 10 });
    const [plan] = await plans();
    expect(plan!.metadata.annotations![annotations.next]).toBeUndefined();
  });
});
