import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Controller } from '../../lib/controller/controller.ts';
import { KubeClient } from '../../lib/kube/client.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { cli } from './support.ts';

/** What the steps of the app give, on nodes that only simulate containers. */
const outputs: Record<string, object> = { train: { accuracy: 0.93, weights: 'memory://resnet/weights' } };

describe('gpu-training on simulated GPU nodes', () => {
  let cluster: ControlPlane;
  let directory: string;
  const stop = new AbortController();

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gpu-'));
    cluster = await startControlPlane({
      nodes: {
        count: 1,
        labels: { 'acme.example/gpu': 'a100', 'acme.example/pool': 'training' },
        allocatable: { cpu: '64', memory: '512Gi', pods: '110', 'nvidia.com/gpu': '8' },
        behaviour: (pod) => ({ outputs: outputs[pod.metadata.labels?.['cdk8s-workflows.dev/step'] ?? ''] }),
      },
    });
    const client = await KubeClient.fromKubeconfig({ kubeconfig: cluster.kubeconfigPath });
    void new Controller({ client }).run(stop.signal).finally(() => client.close());
  });
  afterAll(async () => {
    stop.abort();
    await cluster?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const workflows = (...args: string[]) => cli([...args, '--kubeconfig', cluster.kubeconfigPath]);

  it('the override reaches an A100 with more memory; the run evaluates what was trained', async () => {
    expect(await cli(['synth', 'apps/gpu-training', '--output', directory])).toMatchObject({ code: 0 });
    expect(await workflows('apply', directory, '--yes')).toMatchObject({ code: 0 });
    const launched = await workflows('launch', 'train-nightly', '--name', 'now', '--wait', '--timeout', '60s');
    expect(launched).toMatchObject({ code: 0 });
    const { stdout } = await cluster.kubectl(['get', 'pod', 'now-train-1', '-o', 'json']);
    const { spec } = JSON.parse(stdout);
    expect(spec.nodeSelector).toEqual({ 'acme.example/gpu': 'a100', 'acme.example/pool': 'training' });
    expect(spec.containers[0].resources.limits).toEqual({ memory: '128Gi', 'nvidia.com/gpu': '1' });
    expect(spec.volumes).toContainEqual({
      name: 'shared-memory',
      emptyDir: { medium: 'Memory', sizeLimit: '2Gi' },
    });
    expect(spec.containers[0].volumeMounts).toContainEqual({ name: 'shared-memory', mountPath: '/dev/shm' });
    expect(spec.tolerations).toContainEqual({ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' });
    const evaluated = JSON.parse((await cluster.kubectl(['get', 'pod', 'now-evaluate-1', '-o', 'json'])).stdout);
    expect(evaluated.spec.containers[0].env).toContainEqual({ name: 'INPUT_ACCURACY', value: '0.93' });
  });

  it('a launch says on which GPU and with how much memory', async () => {
    const inputs = ['model=resnet', 'gpu=a100', 'memory=256Gi'].flatMap((input) => ['--input', input]);
    const launched = await workflows('launch', 'train-on', '--name', 'sized', '--wait', '--timeout', '60s', ...inputs);
    expect(launched).toMatchObject({ code: 0 });
    const { stdout } = await cluster.kubectl(['get', 'pod', 'sized-train-1', '-o', 'json']);
    const { spec } = JSON.parse(stdout);
    expect(spec.nodeSelector).toEqual({ 'acme.example/gpu': 'a100', 'acme.example/pool': 'training' });
    expect(spec.containers[0].resources.limits).toEqual({ memory: '256Gi', 'nvidia.com/gpu': '1' });
  });

  it('what still asks for a V100 waits for one, and says so', async () => {
    const { stdout } = await cluster.kubectl(['get', 'pods', '-l', 'job-name=train-once', '-o', 'json']);
    const [pod] = JSON.parse(stdout).items;
    expect(pod.spec.nodeSelector['acme.example/gpu']).toBe('v100');
    expect(pod.status.conditions).toContainEqual(
      expect.objectContaining({ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }),
    );
  });
});
