import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Driver, type DriverResult } from '../../lib/controller/driver.ts';
import { silentLogger } from '../../lib/controller/log.ts';
import type { Pod } from '../../lib/controller/objects.ts';
import { annotations, labels } from '../../lib/graph/labels.ts';
import { pods } from '../../lib/kube/resources.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { Child } from './child.ts';
import { Bench, chain, runOf, workflow } from './support.ts';

let cluster: ControlPlane;
let bench: Bench;

beforeAll(async () => {
  cluster = await startControlPlane({ nodes: 1, name: 'driver' });
  // The driver's own pod only stands for the driver, which runs in this process.
  cluster.simulatedNode!.behaviour = (pod) =>
    pod.metadata.labels?.[labels.step] === undefined ? { stuck: 'Running' } : {};
  bench = await Bench.create(cluster.kubeconfigPath);
  // A controller that must keep away from such runs.
  await bench.controller();
});
afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
});

async function drive(job: string, signal = new AbortController().signal): Promise<DriverResult> {
  const driver = new Driver({ client: bench.client, namespace: bench.namespace, job, log: silentLogger });
  return driver.run(signal);
}

async function driverPod(job: string): Promise<Pod> {
  return eventually(async () => {
    const { items } = await bench.client.list<Pod>(pods, { labelSelector: `batch.kubernetes.io/job-name=${job}` });
    expect(items[0]?.status?.phase).toBe('Running');
    return items[0]!;
  });
}

describe('a driver', () => {
  it('sequences its own run, and Kubernetes keeps the Job', async () => {
    await bench.launch(workflow('driven', chain(4)), 'driven', { driver: true });
    const pod = await driverPod('driven');
    expect(await drive('driven')).toBe('succeeded');
    await cluster.simulatedNode!.finish(pod, { exitCode: 0 });
    expect((await bench.finished('driven')).status?.conditions?.at(-1)?.type).toBe('Complete');
    expect((await bench.record('driven')).run.phase).toBe('Succeeded');
    // The Job controller has not let go of them, although they are not its own pods.
    const steps = await bench.pods('driven');
    expect(steps).toHaveLength(4);
    const { uid } = (await bench.job('driven')).metadata;
    for (const { metadata } of steps)
      expect(metadata.ownerReferences).toEqual([{ apiVersion: 'batch/v1', kind: 'Job', name: 'driven', uid }]);
  });

  it('takes the result of an equal step that a driver before it has kept', async () => {
    const of = workflow('kept', [{ name: 'a', cache: { key: 'kept' } }]);
    for (const [run, reason] of [
      ['kept-1', 'Completed'],
      ['kept-2', 'Cached'],
    ] as const) {
      await bench.launch(of, run, { driver: true });
      expect(await drive(run)).toBe('succeeded');
      expect((await bench.record(run)).steps.get('a')).toMatchObject({ phase: 'Succeeded', reason });
    }
  });

  it('goes on where the one before it was interrupted', async () => {
    const steps = chain(4, { sim: { 'run-ms': '400' } });
    await bench.launch(workflow('resumed', steps), 'resumed', { driver: true });
    const abort = new AbortController();
    const first = drive('resumed', abort.signal);
    await bench.recorded('resumed', ({ steps: s }) => s.get('s1')?.phase === 'Running');
    abort.abort();
    expect(await first).toBe('interrupted');
    expect(await drive('resumed')).toBe('succeeded');
    expect(await bench.pods('resumed')).toHaveLength(4);
  });

  it('keeps to the parallelism of its annotation, and tells a failed run by its exit code', async () => {
    const steps = ['a', 'b', 'c'].map((name) => ({
      name,
      sim: { 'run-ms': '300', 'exit-code': name === 'a' ? '1' : '0' },
    }));
    const wide = workflow('narrow', steps, { failurePolicy: 'RunIndependent' });
    await bench.launch(wide, 'narrow', { driver: true, annotations: { [annotations.parallelism]: '1' } });
    const env = { POD_NAMESPACE: bench.namespace, WORKFLOW_JOB: 'narrow' };
    const child = new Child(['driver', '--kubeconfig', cluster.kubeconfigPath], env);
    await bench.recorded('narrow', ({ run }) => run.phase === 'Failed');
    await eventually(() => expect(child.ended(), child.output).toBe(1));
    const record = await bench.record('narrow');
    const times = ['a', 'b', 'c'].map((name) => record.steps.get(name)!.attempts[0]!);
    expect(times[1]!.createdAt).toBeGreaterThanOrEqual(times[0]!.createdAt + 300);
    expect(times[2]!.createdAt).toBeGreaterThanOrEqual(times[1]!.createdAt + 300);
  });

  it('stops the steps of a run whose time is over before its pod is ended', async () => {
    const stuck = workflow('overdue', [{ name: 'a', sim: { stuck: 'Running' } }]);
    await bench.launch(stuck, 'overdue', { driver: true, spec: { activeDeadlineSeconds: 2 } });
    const abort = new AbortController();
    const driving = drive('overdue', abort.signal);
    await bench.recorded('overdue', ({ steps }) => steps.get('a')?.reason === 'ContainerRunning');
    setTimeout(() => abort.abort(), 2_000);
    expect(await driving).toBe('failed');
    expect((await bench.pods('overdue'))[0]?.status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
  });

  it('has runs of its own driven by a driver like itself', async () => {
    const leaf = workflow('leaf', [{ name: 'a' }], {
      inputs: { properties: { n: {} }, required: ['n'] },
      outputs: { n: { input: 'n' } },
    });
    const outputs = { properties: { n: {} }, required: [] };
    const step = { name: 'child', runs: runOf(leaf), inputs: { n: { value: 5 } }, outputs };
    await bench.apply(...leaf.manifests);
    await bench.launch(workflow('outer', [step], { outputs: { n: { step: 'child', output: 'n' } } }), 'drives', {
      driver: true,
      annotations: { [annotations.parallelism]: '7' },
    });
    const pod = await driverPod('drives');
    const outer = drive('drives');
    const childPod = await driverPod('drives-child-1');
    const child = await bench.job('drives-child-1');
    expect(child.spec).toMatchObject({ completions: 1, parallelism: 1 });
    expect(child.spec).not.toHaveProperty('managedBy');
    expect(child.metadata.annotations?.[annotations.parallelism]).toBe('7');
    expect(await drive('drives-child-1')).toBe('succeeded');
    await cluster.simulatedNode!.finish(childPod, { exitCode: 0 });
    expect(await outer).toBe('succeeded');
    expect((await bench.record('drives')).run.outputs).toEqual({ n: 5 });
    await cluster.simulatedNode!.finish(pod, { exitCode: 0 });
  });

  it('has nothing to do for a Job that is not there', async () => {
    expect(await drive('nobody')).toBe('failed');
  });
});
