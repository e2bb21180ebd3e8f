import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { controllerRules } from '../../lib/graph/permissions.ts';
import { annotations } from '../../lib/graph/labels.ts';
import { isFinished } from '../../lib/controller/objects.ts';
import { recordName } from '../../lib/graph/object-names.ts';
import { KubeClient } from '../../lib/kube/client.ts';
import { KubeError } from '../../lib/kube/errors.ts';
import type { NewObject } from '../../lib/kube/objects.ts';
import { clusterRoleBindings, clusterRoles, pods } from '../../lib/kube/resources.ts';
import { annotationPrefix } from '../cluster/behaviour.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { controllerProcess } from './child.ts';
import { CutProxy } from './cut-proxy.ts';
import { Bench, chain, runOf, workflow } from './support.ts';

let cluster: ControlPlane;
let bench: Bench;

beforeAll(async () => {
  cluster = await startControlPlane({ nodes: 1, name: 'faults' });
  bench = await Bench.create(cluster.kubeconfigPath);
});
afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
});

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function finishedPods(run: string): Promise<number> {
  return (await bench.pods(run)).filter(({ status }) => status?.phase === 'Succeeded').length;
}

/** Everything ran, and nothing ran twice. */
async function ranOnce(run: string, steps: number): Promise<void> {
  expect((await bench.finished(run, 60_000)).status).toMatchObject({ succeeded: steps });
  const pods = await bench.pods(run);
  expect(pods.map(({ metadata }) => metadata.name).toSorted()).toEqual(
    Array.from({ length: steps }, (_, index) => `${run}-s${index}-1`).toSorted(),
  );
  const record = await bench.record(run);
  expect([...record.steps.values()].map(({ phase, attempts }) => [phase, attempts.length])).toEqual(
    Array(steps).fill(['Succeeded', 1]),
  );
}

describe('a run completes, and no step runs twice,', () => {
  it('when the controller is killed at 20 random moments of its 30 steps', async () => {
    const controller = () => controllerProcess(cluster.kubeconfigPath, bench.namespace);
    await bench.launch(workflow('killed', chain(30, { sim: { 'run-ms': '100' } })), 'killed');
    const created: number[] = [];
    for (let kill = 0; kill < 20; kill++) {
      const before = (await bench.pods('killed')).length;
      const child = controller();
      let now = before;
      for (
        const end = Date.now() + 20_000;
        now === before && Date.now() < end;
        now = (await bench.pods('killed')).length
      );
      // Some controllers live to create several pods, but not so many that the run ends before the last of them.
      await sleep(Math.random() * (now > 1.3 * kill ? 30 : 180));
      expect(await child.end('SIGKILL')).toBeNull();
      expect(now, child.output).toBeGreaterThan(before);
      created.push(now);
    }
    expect(
      (await bench.job('killed')).status?.completionTime,
      `pods at the kills: ${created.join(', ')}`,
    ).toBeUndefined();
    controller();
    await ranOnce('killed', 30);
  });

  it('when its watches and requests are cut again and again', async () => {
    const copy = join(cluster.directory, 'cut.kubeconfig');
    await using proxy = await CutProxy.start(cluster.server, cluster.kubeconfigPath, copy);
    const child = controllerProcess(copy, bench.namespace);
    await bench.launch(workflow('cut', chain(20, { sim: { 'run-ms': '50' } })), 'cut');
    await eventually(async () => expect(await finishedPods('cut')).toBeGreaterThan(0));
    for (let cut = 0; cut < 10; cut++) {
      await sleep(100 + Math.random() * 200);
      proxy.cut();
    }
    await ranOnce('cut', 20);
    await child.end('SIGTERM');
  });

  it('when the API server is restarted, in good order and by a crash', async () => {
    const { stop } = await bench.controller();
    onTestFinished(stop);
    await bench.launch(workflow('restarted', chain(12, { sim: { 'run-ms': '100' } })), 'restarted');
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const before = await finishedPods('restarted');
      await eventually(async () => expect(await finishedPods('restarted')).toBeGreaterThan(before));
      await cluster.restartApiServer(signal);
    }
    await ranOnce('restarted', 12);
  });

  it('when etcd is gone for ten seconds', async () => {
    const { stop } = await bench.controller();
    onTestFinished(stop);
    await bench.launch(workflow('etcd', chain(10, { sim: { 'run-ms': '100' } })), 'etcd');
    await eventually(async () => expect(await finishedPods('etcd')).toBeGreaterThan(1));
    await cluster.stopEtcd();
    await sleep(10_000);
    await cluster.startEtcd();
    await ranOnce('etcd', 10);
  });

  it('when the controller was stopped in the middle of it, and pods ended meanwhile', async () => {
    const first = await bench.controller();
    await bench.launch(workflow('later', chain(4, { sim: { 'run-ms': '500' } })), 'later');
    await bench.recorded('later', ({ steps }) => steps.get('s1')?.phase === 'Running');
    await first.stop();
    await sleep(1_000);
    const second = await bench.controller();
    onTestFinished(second.stop);
    await ranOnce('later', 4);
  });
});

it('the pod of an attempt that has ended is stopped when it is created again, as by a controller that led before', async () => {
  const { stop } = await bench.controller();
  onTestFinished(stop);
  const steps = [
    { name: 'done', sim: { 'run-ms': '10' } },
    { name: 'goes-on', sim: { 'run-ms': '60000' } },
  ];
  await bench.launch(workflow('late', steps), 'late');
  await bench.recorded('late', (record) => record.steps.get('done')?.phase === 'Succeeded');
  const { apiVersion, kind, metadata, spec } = await bench.client.get(pods, 'late-done-1');
  const { name, labels, ownerReferences } = metadata;
  const behaviour = { [`${annotationPrefix}run-ms`]: '60000' };
  await bench.client.delete(pods, name);
  await bench.client.create(pods, {
    apiVersion,
    kind,
    metadata: { name, labels, ownerReferences, annotations: behaviour },
    spec: { ...(spec as object), nodeName: undefined },
  } as NewObject);
  const live = async () =>
    (await bench.pods('late')).filter(({ status }) => /Pending|Running/.test(status?.phase ?? ''));
  await eventually(async () => expect((await live()).map(({ metadata: pod }) => pod.name)).toEqual(['late-goes-on-1']));
  await bench.annotate('late', annotations.cancel, 'Now');
  const { steps: records } = await bench.recorded('late', ({ run }) => run.phase === 'Cancelled');
  expect(records.get('done')).toMatchObject({ phase: 'Succeeded', attempts: [{ phase: 'Succeeded' }] });
});

it('a step whose end the API server refused to tell for a time ends once it does', async () => {
  const client = await KubeClient.fromKubeconfig({ kubeconfig: cluster.kubeconfigPath, namespace: bench.namespace });
  onTestFinished(() => client.close());
  let refused = 0;
  const refusing: typeof client.get = async (of, name, options) => {
    const asksForEnd = name === recordName('asked-part-1') && isFinished(await bench.job('asked-part-1'));
    if (!asksForEnd || refused === 2) return client.get(of, name, options);
    refused += 1;
    throw new KubeError({ kind: 'Status', code: 403, reason: 'Forbidden' }, { verb: 'get', object: name });
  };
  const wrapped = new Proxy(client, {
    get(target, key: keyof KubeClient) {
      const member: unknown = key === 'get' ? refusing : target[key];
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
  const { stop } = await bench.controller({ client: wrapped, timing: { auditMs: 200 } });
  onTestFinished(stop);
  const part = workflow('part', chain(1));
  await bench.apply(...part.manifests);
  await bench.launch(workflow('asked', [{ name: 'part', runs: runOf(part) }]), 'asked');
  expect((await bench.finished('asked')).status).toMatchObject({ succeeded: 1 });
  expect(refused).toBe(2);
});

describe('a restarted controller', () => {
  it('writes the end of a run whose record says it has ended', async () => {
    const group = 'rbac.authorization.k8s.io';
    const metadata = { name: 'all-but-status' };
    const rules = controllerRules.filter(({ resources }) => !resources.includes('jobs/status'));
    const role = { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata, rules };
    await bench.client.create(clusterRoles, role);
    await bench.client.create(clusterRoleBindings, {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: metadata.name },
      subjects: [{ apiGroup: group, kind: 'User', name: 'bob' }],
    });
    const kubeconfig = await cluster.userKubeconfig('bob');
    const client = await KubeClient.fromKubeconfig({ kubeconfig, namespace: bench.namespace });
    const first = await bench.controller({ client });
    await bench.launch(workflow('unwritten', chain(1)), 'unwritten');
    await bench.recorded('unwritten', ({ run }) => run.phase === 'Succeeded');
    await first.stop();
    await client.close();
    expect((await bench.job('unwritten')).status?.startTime).toBeUndefined();
    const second = await bench.controller();
    onTestFinished(second.stop);
    await ranOnce('unwritten', 1);
  });

  it('leaves finished runs alone', async () => {
    const first = await bench.controller();
    await bench.launch(workflow('ended', chain(1)), 'ended');
    const before = await bench.finished('ended');
    await first.stop();
    const second = await bench.controller();
    onTestFinished(second.stop);
    await eventually(() => expect(second.controller.ready).toBe(true));
    await sleep(300);
    expect(second.controller.active).toBe(0);
    expect((await bench.job('ended')).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  });
});
