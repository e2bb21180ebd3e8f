import type { App } from 'cdk8s';
import { Chart } from 'cdk8s';
import { ContainerTask, Fleet, LaunchPlan, Schedule, Workflow, z, type Cluster } from 'cdk8s-workflows';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobs, pods } from '../../lib/kube/resources.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { Bench } from '../controller/support.ts';
import { cliFor } from './cluster-cli.ts';

const clusters = (eu: string, gpu: string): readonly Cluster[] => [
  { name: 'eu', context: 'admin@eu', namespace: eu },
  {
    name: 'gpu-eu',
    context: 'admin@gpu',
    namespace: gpu,
    podPolicy: { spec: { priorityClassName: 'system-node-critical' } },
  },
  { name: 'old', enabled: false },
];

/** Three plans that are active on `eu`; the second has a backup, the third runs a task alone. */
function define(app: App): void {
  const chart = new Chart(app, 'etl');
  const task = new ContainerTask(chart, 'extract', {
    image: 'etl:1',
    inputs: { site: z.string() },
    podTemplate: { metadata: { annotations: { 'sim.cdk8s-workflows.dev/log': 'done' } } },
  });
  const workflow = new Workflow(chart, 'etl', { inputs: { site: z.string() } }, ({ inputs, step }) => {
    step('extract', task, { site: inputs.site });
  });
  const settings = { cluster: 'eu', inputs: { site: 'a' }, schedule: Schedule.cron('0 0 1 1 *') };
  new LaunchPlan(chart, 'etl-a', { workflow, ...settings });
  new LaunchPlan(chart, 'etl-b', { workflow, ...settings, backups: ['gpu-eu'] });
  new LaunchPlan(chart, 'alone', { task, ...settings });
}

let controlPlane: ControlPlane;
let benches: Readonly<Record<'eu' | 'gpu', Bench>>;
let directory: string;
let cli: (...args: string[]) => ReturnType<ReturnType<typeof cliFor>>;

beforeAll(async () => {
  controlPlane = await startControlPlane({ name: 'elsewhere', nodes: 1 });
  directory = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-elsewhere-'));
  benches = {
    eu: await Bench.create(controlPlane.kubeconfigPath, 'eu'),
    gpu: await Bench.create(controlPlane.kubeconfigPath, 'gpu'),
  };
  // Two contexts of one control plane; the current one is neither.
  const config = parse(await readFile(controlPlane.kubeconfigPath, 'utf8')) as { contexts: { context: object }[] };
  const { context } = config.contexts[0]!;
  const contexts = ['admin@eu', 'admin@gpu'].map((name) => ({ name, context }));
  const kubeconfig = join(directory, 'kubeconfig');
  await writeFile(kubeconfig, stringify({ ...config, contexts, 'current-context': 'none' }));
  const { eu, gpu } = benches;
  await Promise.all([eu.controller(), gpu.controller()]);
  new Fleet({ clusters: clusters(eu.namespace, gpu.namespace), outdir: join(directory, 'dist') }, define).synth();
  cli = (...args) => cliFor(kubeconfig, '')(args, { cwd: directory });
});

afterAll(async () => {
  await Promise.all(Object.values(benches ?? {}).map((bench) => bench.close()));
  await controlPlane?.stop();
  if (directory !== undefined) await rm(directory, { recursive: true });
});

describe('launch --cluster', () => {
  it('needs what the run is made of to be on the cluster', async () => {
    const { code, stderr } = await cli('launch', 'etl-a', '--cluster', 'gpu-eu');
    expect(stderr).toMatch(
      /^error: Cannot launch etl-a: the ConfigMap etl-\w+ with its graph is not on gpu-eu; apply gpu-eu first$/m,
    );
    expect(code).toBe(1);
    expect((await cli('apply', '--yes')).code).toBe(0);
  });

  it.each([
    ['eu', 'etl-a', 'eu', true],
    ['a backup', 'etl-b', 'gpu-eu', true],
    ['a cluster that the plan is not on', 'etl-a', 'gpu-eu', false],
  ])('starts a run on %s, as that cluster has its pods', async (_where, plan, cluster, owned) => {
    const { client, namespace } = cluster === 'eu' ? benches.eu : benches.gpu;
    const name = `${plan}-on-${cluster}`;
    const { code, stderr } = await cli(
      'launch',
      plan,
      '--cluster',
      cluster,
      '--name',
      name,
      '--input',
      'site=b',
      '--wait',
    );
    expect(stderr).toContain(`run ${name} launched on ${cluster}\n`);
    expect(code).toBe(0);
    const job = await client.get(jobs, name);
    expect((job.metadata.ownerReferences ?? []).map(({ name }) => name)).toEqual(owned ? [plan] : []);
    expect(job.metadata.namespace).toBe(namespace);
    const { items } = await client.list<{ spec: { priorityClassName?: string } } & typeof job>(pods, {
      labelSelector: `cdk8s-workflows.dev/run=${name}`,
    });
    expect(items.map(({ spec }) => spec.priorityClassName)).toEqual([
      cluster === 'eu' ? undefined : 'system-node-critical',
    ]);
    const { stdout } = await cli('describe', name, '--cluster', cluster, '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ name, plan, phase: 'Succeeded' });
  });

  it.each([
    [['etl-a', '--cluster', 'gpu'], 2, '--cluster: there is no cluster "gpu"; known are eu, gpu-eu'],
    [['etl-a', '--cluster', 'old'], 2, '--cluster: the cluster "old" is disabled; known are eu, gpu-eu'],
    [['etl-a', '--cluster', 'eu', '--context', 'admin@gpu'], 2, 'cannot be used with option'],
    [
      ['etl-c', '--cluster', 'gpu-eu'],
      1,
      'There is no plan "etl-c" on the cluster gpu-eu, nor in what was synthesized; did you mean "etl-a"?',
    ],
    [
      ['alone', '--cluster', 'gpu-eu'],
      1,
      'The plan alone runs one task, whose pod was made for the cluster eu; name gpu-eu among its backups, then synth and apply',
    ],
    [['etl-a', '--cluster', 'gpu-eu', '--input', 'sit=b'], 2, '--input sit: is not known; did you mean "site"?'],
  ])('refuses %j', async (args, exitCode, message) => {
    const { code, stderr } = await cli('launch', ...args);
    expect(stderr).toContain(message);
    expect(code).toBe(exitCode);
  });

  it('needs a fleet', async () => {
    const none = await cliFor(join(directory, 'kubeconfig'), '')(['runs', '--cluster', 'eu'], { cwd: tmpdir() });
    expect(none.stderr).toContain('--cluster: there is no dist/placement.json; run synth first');
    expect(none.code).toBe(2);
  });
});
