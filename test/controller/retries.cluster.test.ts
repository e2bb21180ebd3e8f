import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Pod } from '../../lib/controller/objects.ts';
import { labels } from '../../lib/graph/labels.ts';
import { pods } from '../../lib/kube/resources.ts';
import type { KubeObject } from '../../lib/kube/objects.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { Bench, workflow } from './support.ts';

let cluster: ControlPlane;
let bench: Bench;

beforeAll(async () => {
  cluster = await startControlPlane({ nodes: 1, name: 'retries' });
  bench = await Bench.create(cluster.kubeconfigPath);
  await bench.controller();
});
afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
});

describe('a step', () => {
  it('that is killed for want of memory asks for more each time, and for the same after another failure', async () => {
    const node = cluster.simulatedNode!;
    node.behaviour = ({ metadata }) =>
      [
        { exitCode: 137, reason: 'OOMKilled' },
        { exitCode: 1 },
        { exitCode: 137, reason: 'OOMKilled' },
        { exitCode: 0 },
      ][Number(metadata.labels?.[labels.attempt]) - 1];
    onTestFinished(() => void (node.behaviour = undefined));
    const container = { name: 'main', image: 'task:1', resources: { limits: { memory: '1Gi', cpu: '1' } } };
    const resourcesAfterOOM = [{ limits: { memory: '2Gi' } }, { limits: { memory: '4Gi' } }];
    const step = { name: 'a', spec: { containers: [container] }, retries: { limit: 3, resourcesAfterOOM } };
    await bench.launch(workflow('oom', [step]), 'oom');
    await bench.finished('oom');
    const { phase, attempts } = (await bench.record('oom')).steps.get('a')!;
    expect([phase, ...attempts.map(({ reason }) => reason)]).toEqual([
      'Succeeded',
      'OOMKilled',
      'ExitCode',
      'OOMKilled',
      'Completed',
    ]);
    const limits = async (attempt: number) => {
      const { spec } = await bench.client.get<KubeObject & { spec: { containers: (typeof container)[] } }>(
        pods,
        `oom-a-${attempt}`,
      );
      return spec.containers[0]!.resources.limits;
    };
    expect(await Promise.all([1, 2, 3, 4].map(limits))).toEqual(
      ['1Gi', '2Gi', '2Gi', '4Gi'].map((memory) => ({ memory, cpu: '1' })),
    );
  });

  it('whose pod finds no node in time is stopped and tried again, at the cost of the platform', async () => {
    const nowhere = { nodeSelector: { gpu: 'none' } };
    const step = { name: 'a', spec: nowhere, pendingTimeoutSeconds: 2, systemRetries: 1, retries: { limit: 5 } };
    await bench.launch(workflow('pending', [step]), 'pending');
    const waiting = await bench.recorded('pending', ({ steps }) =>
      /unschedulable/.test(steps.get('a')?.attempts[0]?.message ?? ''),
    );
    expect(waiting.steps.get('a')?.message).toMatch(/^pod unschedulable: 0\/1 nodes are available: [^.]*$/);
    await bench.finished('pending');
    const { reason, attempts } = (await bench.record('pending')).steps.get('a')!;
    expect(reason).toBe('PendingTimeout');
    expect(attempts).toHaveLength(2);
    for (const attempt of attempts)
      expect(attempt).toMatchObject({
        failure: 'system',
        reason: 'PendingTimeout',
        message: expect.stringMatching(
          /^its container did not start in 2 s \(pending timeout\): pod unschedulable: 0\/1/,
        ),
      });
    expect(await bench.pods('pending')).toEqual<Pod[]>([]);
  });
});
