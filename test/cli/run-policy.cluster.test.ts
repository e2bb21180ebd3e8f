import type { Chart } from 'cdk8s';
import { Testing } from 'cdk8s';
import { ContainerTask, LaunchPlan, Workflow, z } from 'cdk8s-workflows';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { KubeObject } from '../../lib/kube/objects.ts';
import { annotationPrefix } from '../cluster/behaviour.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { Bench } from '../controller/support.ts';
import { cliFor, steady } from './cluster-cli.ts';

let cluster: ControlPlane;
let bench: Bench;
let directory: string;
let cli: ReturnType<typeof cliFor>;

/** Every node of the cluster has it, so that pods which ask for it find one. */
const LINUX = { 'kubernetes.io/os': 'linux' };

function manifests(): string {
  const chart = Testing.chart();
  const task = (id: string, sim: Record<string, string>, settings: object = {}) => {
    const annotations = Object.entries(sim).map(([key, value]) => [`${annotationPrefix}${key}`, value]);
    const podTemplate = { metadata: { annotations: Object.fromEntries(annotations) } };
    return new ContainerTask(chart, id, { image: 'etl:1', command: ['etl'], podTemplate, ...settings });
  };
  const bad = task('bad', { 'exit-code': '3' });
  const once = task('once', { 'exit-code': '3' }, { retries: 0 });
  const good = task('good', { 'run-ms': '20' });
  const firm = task('firm', { 'run-ms': '20' }, { spot: false });
  const inner = new Workflow(chart, 'inner', {}, ({ step }) => void step('bad', bad));
  const outer = new Workflow(chart, 'outer', {}, ({ step }) => {
    step('firm', firm);
    step('once', once);
    step.run('child', inner, {});
    step('late', good).after(step('early', good));
  });
  new LaunchPlan(chart as Chart, 'nightly', {
    workflow: outer,
    failurePolicy: 'RunIndependent',
    retries: 1,
    spot: { selector: LINUX },
    artifactRoot: 's3://acme/etl',
  });
  const task1 = new ContainerTask(chart, 'one', {
    image: 'etl:1',
    command: ['etl'],
    inputs: { n: z.int().default(1) },
  });
  new LaunchPlan(chart, 'single', { task: task1, retries: 2 });
  return (Testing.synth(chart) as unknown[]).map((object) => stringify(object)).join('---\n');
}

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'policy', nodes: 1 });
  bench = await Bench.create(cluster.kubeconfigPath, 'policy');
  cli = cliFor(cluster.kubeconfigPath, bench.namespace);
  directory = await mkdtemp(join(tmpdir(), 'policy-'));
  await mkdir(join(directory, 'dist'));
  await writeFile(join(directory, 'dist/app.k8s.yaml'), manifests());
  expect(await cli(['apply', 'dist', '--yes'], { cwd: directory })).toMatchObject({ code: 0 });
  await bench.controller();
});

afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
  await rm(directory, { recursive: true, force: true });
});

async function run(name: string, ...options: string[]) {
  await cli(['launch', 'nightly', '--name', name, '--wait', ...options]);
  await bench.finished(name);
  const record = await bench.record(name);
  const steps = Object.fromEntries(
    [...record.steps].map(([step, { phase, attempts }]) => [step, `${phase} ${attempts.length}`]),
  );
  const found = [...(await bench.pods(name)), ...(await bench.pods(`${name}-child-1`))];
  return { steps, pods: new Map(found.map((pod) => [pod.metadata.name, pod as KubeObject & SeenPod])) };
}

/** The pod as far as it is looked at here. */
interface SeenPod {
  readonly spec?: {
    readonly nodeSelector?: object;
    readonly containers?: readonly { readonly env?: readonly { readonly name: string; readonly value?: string }[] }[];
  };
}
const selectorOf = (pod: SeenPod | undefined) => pod?.spec?.nodeSelector;
const artifactsOf = (pod: SeenPod | undefined) =>
  pod?.spec?.containers?.[0]?.env?.find(({ name }) => name === 'WORKFLOW_ARTIFACTS')?.value;

describe('how the runs of a plan go', () => {
  it('is as the plan says, also in the runs that are steps of them', async () => {
    const { steps, pods } = await run('first');
    expect(steps).toEqual({
      firm: 'Succeeded 1',
      once: 'Failed 1',
      child: 'Failed 1',
      early: 'Succeeded 1',
      // With FinishRunning it would not have been started.
      late: 'Succeeded 1',
    });
    expect((await bench.record('first-child-1')).steps.get('bad')?.attempts).toHaveLength(2);
    expect(selectorOf(pods.get('first-early-1'))).toEqual(LINUX);
    expect(selectorOf(pods.get('first-child-1-bad-2'))).toEqual(LINUX);
    expect(selectorOf(pods.get('first-firm-1'))).toBeUndefined();
    const root = `s3://acme/etl/${bench.namespace}`;
    expect(artifactsOf(pods.get('first-early-1'))).toBe(`${root}/first/early/1`);
    expect(artifactsOf(pods.get('first-child-1-bad-2'))).toBe(`${root}/first-child-1/bad/2`);
  });

  it('is as the launch says, over the plan, and again when it is run again', async () => {
    const options = ['--failure-policy', 'FinishRunning', '--retries', '2', '--no-spot', '--parallelism', '1'];
    const { steps, pods } = await run('second', ...options, '--artifact-root', 'gs://elsewhere');
    expect(steps).toMatchObject({ firm: 'Succeeded 1', once: 'Failed 1', late: 'Skipped 0' });
    expect(artifactsOf(pods.get('second-firm-1'))).toBe(`gs://elsewhere/${bench.namespace}/second/firm/1`);
    expect(await cli(['rerun', 'second', '--all', '--name', 'third'])).toMatchObject({ code: 0 });
    await bench.finished('third');
    const notes = async (name: string) =>
      Object.entries((await bench.job(name)).metadata.annotations ?? {}).filter(([key]) =>
        /failure-policy|retries|spot|artifact-root/.test(key),
      );
    expect(await notes('third')).toEqual(await notes('second'));
    expect(await notes('third')).toHaveLength(4);
  });

  it('is shown with who said it', async () => {
    const settings = steady((await cli(['describe', 'plan', 'nightly'])).stdout).split('SET BY\n')[1];
    expect(settings).toContain(' failurePolicy RunIndependent plan\n');
    expect(settings).toContain(' retries {"limit":1} plan\n');
    expect(settings).toContain(` spot {"selector":${JSON.stringify(LINUX)}} plan\n`);
    expect(settings).toContain(' artifactRoot s3://acme/etl plan\n');
    expect(steady((await cli(['describe', 'plan', 'single'])).stdout)).toContain(' retries {"limit":2} plan\n');
  });

  it('is refused where it makes no sense, before anything is there', async () => {
    const single = await cli(['launch', 'single', '--failure-policy', 'CancelRunning', '--no-spot']);
    expect(single.stderr).toContain('--failure-policy: says nothing of runs of single: each is a single task');
    expect(single.stderr).toContain('--spot: says nothing of runs of single: each is a single task');
    const wrong = await cli(['launch', 'nightly', '--artifact-root', 'bucket']);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toContain('must be a URI without query and fragment, not "bucket"');
    expect((await cli(['launch', 'nightly', '--failure-policy', 'finishRunning'])).stderr).toContain('FinishRunning');
  });
});
