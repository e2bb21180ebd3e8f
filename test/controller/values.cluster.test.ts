import { Testing } from 'cdk8s';
import { ContainerTask, LaunchPlan, Workflow, z } from 'cdk8s-workflows';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job, Pod } from '../../lib/controller/objects.ts';
import type { NewObject } from '../../lib/kube/objects.ts';
import { jobs, pods } from '../../lib/kube/resources.ts';
import { cliFor } from '../cli/cluster-cli.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { Bench } from './support.ts';

let cluster: ControlPlane;
let bench: Bench;
let cli: ReturnType<typeof cliFor>;

/** A workflow whose training is sized by its inputs, and by what a step before it measured. */
function manifests(): readonly NewObject[] {
  const chart = Testing.chart();
  const measure = new ContainerTask(chart, 'measure', { image: 'measure:1', outputs: { shm: z.string() } });
  const train = new ContainerTask(chart, 'train', {
    image: ({ version }) => version,
    command: ['train'],
    inputs: { version: z.string(), epochs: z.int().default(3) },
    env: ({ epochs }) => ({ EPOCHS: epochs }),
    resources: { limits: { memory: '1Gi' } },
  });
  const inputs = {
    image: z.string(),
    memory: z.string().optional(),
    node: z.string(),
    path: z.string().optional(),
    note: z.string().optional(),
  };
  const workflow = new Workflow(chart, 'etl', { inputs }, ({ inputs: { image, memory, node, path, note }, step }) => {
    const measured = step('measure', measure);
    step('train', train, { version: image }).override({
      resources: { limits: { memory } },
      nodeSelector: { 'kubernetes.io/hostname': node },
      sharedMemory: measured.outputs.shm,
      env: { NOTE: note },
      tolerations: [{ key: node, operator: 'Exists' }],
      podTemplate: { spec: { volumes: [{ name: 'data', hostPath: { path: path.or('/data') } }] } },
    });
  });
  new LaunchPlan(chart, 'train-plan', { workflow });
  const shard = new ContainerTask(chart, 'shard', { image: 'shard:1', runAs: 'Job' });
  const replicated = new Workflow(chart, 'sharded', { inputs: { replicas: z.number() } }, ({ inputs, step }) => {
    const { replicas } = inputs;
    const spec = { parallelism: replicas, completions: replicas, completionMode: 'Indexed' };
    step('shard', shard).override({ job: { spec } });
  });
  new LaunchPlan(chart, 'shard-plan', { workflow: replicated });
  return Testing.synth(chart) as NewObject[];
}

beforeAll(async () => {
  cluster = await startControlPlane({ nodes: 1, name: 'values' });
  bench = await Bench.create(cluster.kubeconfigPath, 'values');
  await bench.controller();
  cli = cliFor(cluster.kubeconfigPath, bench.namespace);
  cluster.simulatedNode!.behaviour = ({ metadata }) =>
    metadata.name.includes('-measure-') ? { outputs: { shm: '64Mi' } } : {};
  await bench.apply(...manifests());
});
afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
});

async function podOf(name: string) {
  const { spec } = await bench.client.get<Pod & { spec: Record<string, unknown> }>(pods, name);
  return spec as Record<string, unknown> & { containers: readonly Record<string, unknown>[] };
}

function launch(name: string, inputs: Readonly<Record<string, string>>, plan = 'train-plan') {
  const options = Object.entries(inputs).flatMap(([input, value]) => ['--input', `${input}=${value}`]);
  return cli(['launch', plan, '--name', name, '--wait', ...options]);
}

describe('values of a run in its pods', () => {
  it('are where its inputs and outputs put them, and what the API server makes of a pod goes by them', async () => {
    const inputs = { image: 'train', memory: '2Gi', node: 'sim-0', note: '$(HOSTNAME)' };
    expect(await launch('sized', inputs)).toMatchObject({ code: 0 });
    const spec = await podOf('sized-train-1');
    const amounts = { memory: '2Gi' };
    expect(spec).toMatchObject({
      nodeSelector: { 'kubernetes.io/hostname': 'sim-0' },
      volumes: expect.arrayContaining([
        { name: 'shared-memory', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
        { name: 'data', hostPath: { path: '/data', type: '' } },
      ]),
      tolerations: expect.arrayContaining([{ key: 'sim-0', operator: 'Exists' }]),
    });
    expect(spec.containers[0]).toMatchObject({
      image: 'train',
      // As for every image without a tag.
      imagePullPolicy: 'Always',
      resources: { limits: amounts, requests: amounts },
      env: expect.arrayContaining([
        { name: 'EPOCHS', value: '3' },
        { name: 'NOTE', value: '$$(HOSTNAME)' },
      ]),
    });
  });

  it('leave what is below them where none was given', async () => {
    expect(await launch('plain', { image: 'train:2', node: 'sim-0' })).toMatchObject({ code: 0 });
    const { containers } = await podOf('plain-train-1');
    expect(containers[0]).toMatchObject({ image: 'train:2', imagePullPolicy: 'IfNotPresent' });
    expect(containers[0]).toHaveProperty('resources.limits', { memory: '1Gi' });
    const names = (containers[0]!.env as readonly { name: string }[]).map(({ name }) => name);
    expect(names).not.toContain('NOTE');
  });

  it.each([
    [
      'amount',
      { memory: '2GB' },
      /spec\.containers\[main\]\.resources\.limits\.memory: .*"2GB".*\(from inputs\.memory\)/,
    ],
    ['label', { node: 'sim 0' }, /spec\.nodeSelector\[kubernetes\.io\/hostname\]: "sim 0".*\(from inputs\.node\)/],
    ['path', { path: '/../etc' }, /hostPath\.path: Invalid value: "\/\.\.\/etc"/],
  ])('fail their step where they make no pod: no %s', async (name, wrong, message) => {
    const { code, stderr } = await launch(`bad-${name}`, { image: 'train:1', node: 'sim-0', ...wrong });
    expect([code, stderr]).toEqual([1, expect.stringContaining(`bad-${name}`)]);
    const step = (await bench.record(`bad-${name}`)).steps.get('train')!;
    expect(step).toMatchObject({ phase: 'Failed', reason: 'Rejected' });
    expect(step.message).toMatch(message);
  });
});

describe('values of a run in the Job of a step', () => {
  it('say how many pods it has', async () => {
    expect(await launch('three', { replicas: '3' }, 'shard-plan')).toMatchObject({ code: 0 });
    const made = await bench.client.get<Job & { readonly spec: object }>(jobs, 'three-shard-1');
    expect(made.spec).toMatchObject({ parallelism: 3, completions: 3, completionMode: 'Indexed' });
    expect(made.status).toMatchObject({ succeeded: 3 });
  });

  it.each([
    ['0', 'must be at least 1, not 0'],
    ['1.5', 'must be a whole number, not 1.5'],
  ])('fail the step where they make no Job: %s', async (replicas, wrong) => {
    const name = `no-job-${replicas.replace('.', '-')}`;
    expect(await launch(name, { replicas }, 'shard-plan')).toMatchObject({ code: 1 });
    const step = (await bench.record(name)).steps.get('shard')!;
    expect(step).toMatchObject({ phase: 'Failed', reason: 'Rejected' });
    expect(step.message).toContain(`job.spec.parallelism: ${wrong} (from inputs.replicas)`);
  });
});
