import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Api } from './api.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import type { Pod } from './pod.ts';
import { eventually } from './eventually.ts';

const pods = '/api/v1/namespaces/default/pods';

function pod(name: string, annotations: Record<string, string> = {}, spec: object = {}): object {
  const prefixed = Object.fromEntries(Object.entries(annotations).map(([k, v]) => [`sim.cdk8s-workflows.dev/${k}`, v]));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, annotations: prefixed },
    spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox' }], ...spec },
  };
}

describe('a control plane with a simulated node', () => {
  let cluster: ControlPlane;
  let api: Api;
  const get = (name: string): Promise<Pod> => api.get<Pod>(`${pods}/${name}`);
  const inPhase = (name: string, phase: string): Promise<Pod> =>
    eventually(async () => {
      const found = await get(name);
      expect(found.status?.phase).toBe(phase);
      return found;
    });

  beforeAll(async () => {
    cluster = await startControlPlane({ nodes: 1 });
    api = await Api.connect(cluster.kubeconfigPath);
  });
  afterAll(async () => {
    await api?.close();
    await cluster?.stop();
  });

  it('answers /readyz', async () => {
    expect(await cluster.kubectl(['get', '--raw', '/readyz'])).toMatchObject({ stdout: 'ok', code: 0 });
  });

  it('gives a failing kubectl as its exit code and message', async () => {
    const result = await cluster.kubectl(['get', 'pod', 'nowhere']);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('NotFound');
  });

  it('lets a plain user do nothing', async () => {
    const config = await cluster.userKubeconfig('alice');
    const result = await cluster.kubectl(['auth', 'can-i', 'list', 'pods', '--kubeconfig', config]);
    expect(result.stdout.trim()).toBe('no');
  });

  it('runs a Job to Complete', async () => {
    await cluster.kubectl(['create', 'job', 'hello', '--image=busybox', '--', 'true']);
    const result = await cluster.kubectl(['wait', '--for=condition=complete', 'job/hello', '--timeout=30s']);
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
  });

  it('writes outputs as the termination message of the main container', async () => {
    const outputs = JSON.stringify({ rows: 3 });
    const containers = [
      { name: 'sidecar', image: 'busybox' },
      { name: 'main', image: 'busybox' },
    ];
    await api.create(pods, pod('outputs', { outputs }, { containers }));
    const { status } = await inPhase('outputs', 'Succeeded');
    expect(status?.containerStatuses?.map((c) => [c.name, c.state.terminated?.message])).toEqual([
      ['main', outputs],
      ['sidecar', undefined],
    ]);
  });

  it('keeps the last 4096 bytes of a termination message', async () => {
    await api.create(pods, pod('long', { outputs: `begin${'x'.repeat(5000)}end` }));
    const { status } = await inPhase('long', 'Succeeded');
    const message = status?.containerStatuses?.[0]?.state.terminated?.message ?? '';
    expect(message).toHaveLength(4096);
    expect(message.endsWith('end')).toBe(true);
  });

  it('fails a pod with the exit code and reason that it is told', async () => {
    await api.create(pods, pod('fails', { 'exit-code': '137', reason: 'OOMKilled', 'run-ms': '50' }));
    const { status } = await inPhase('fails', 'Failed');
    expect(status?.containerStatuses?.[0]?.state.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
  });

  it('asks a function how a pod goes, before the annotations', async () => {
    cluster.simulatedNode!.behaviour = ({ metadata }) => (metadata.name === 'hooked' ? { exitCode: 3 } : undefined);
    await api.create(pods, pod('hooked', { 'exit-code': '4', outputs: 'kept' }));
    const { status } = await inPhase('hooked', 'Failed');
    expect(status?.containerStatuses?.[0]?.state.terminated).toMatchObject({ exitCode: 3, message: 'kept' });
    cluster.simulatedNode!.behaviour = undefined;
  });

  it('restarts a failing container when the pod asks for it', async () => {
    let starts = 0;
    cluster.simulatedNode!.behaviour = () => ({ exitCode: (starts += 1) === 1 ? 1 : 0, runMs: 10 });
    await api.create(pods, pod('restarts', {}, { restartPolicy: 'OnFailure' }));
    const { status } = await inPhase('restarts', 'Succeeded');
    expect(status?.containerStatuses?.[0]?.restartCount).toBe(1);
    cluster.simulatedNode!.behaviour = undefined;
  });

  it('answers for logs', async () => {
    await api.create(pods, pod('talks', { log: 'one\ntwo\n' }));
    await inPhase('talks', 'Succeeded');
    expect((await cluster.kubectl(['logs', 'talks'])).stdout).toBe('one\ntwo\n');
    expect((await cluster.kubectl(['logs', 'talks', '--tail=1'])).stdout).toBe('two\n');
  });

  it('has its node Ready again that was taken for dead while the API server was away', async () => {
    const node = '/api/v1/nodes/sim-0';
    const conditions = [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' }];
    await api.patch(`${node}/status`, { status: { conditions } });
    await eventually(async () => {
      const found = await api.get<Pod>(node);
      expect(found).toMatchObject({
        status: { conditions: expect.arrayContaining([expect.objectContaining({ type: 'Ready', status: 'True' })]) },
      });
      expect(found.spec).not.toHaveProperty('taints');
    });
  });

  it('finishes the deletion of a running pod', async () => {
    await api.create(pods, pod('deleted', { stuck: 'Running' }));
    await inPhase('deleted', 'Running');
    await api.delete(`${pods}/deleted`);
    await eventually(() => expect(get('deleted')).rejects.toMatchObject({ status: 404 }));
  });

  it('leaves a pod that is stuck Terminating until it is removed by force', async () => {
    await api.create(pods, pod('clings', { stuck: 'Terminating', 'run-ms': '60000' }));
    await inPhase('clings', 'Running');
    await api.delete(`${pods}/clings`);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await get('clings')).metadata.deletionTimestamp).toBeDefined();
    await api.delete(`${pods}/clings`, { gracePeriodSeconds: 0 });
    await eventually(() => expect(get('clings')).rejects.toMatchObject({ status: 404 }));
  });

  it('ends a pod whose deadline is set while it runs', async () => {
    await api.create(pods, pod('late', { stuck: 'Running' }));
    await inPhase('late', 'Running');
    await api.patch(`${pods}/late`, { spec: { activeDeadlineSeconds: 1 } });
    const { status } = await inPhase('late', 'Failed');
    expect(status?.reason).toBe('DeadlineExceeded');
  });

  it('evicts a pod as a kubelet does', async () => {
    await api.create(pods, pod('evicted', { stuck: 'Running' }));
    await cluster.simulatedNode!.evict(await inPhase('evicted', 'Running'));
    const { status } = await inPhase('evicted', 'Failed');
    expect(status?.reason).toBe('Evicted');
    expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'DisruptionTarget', status: 'True' }));
  });

  it('loses a node with its pods and takes them up again', async () => {
    const node = cluster.simulatedNode!;
    await api.create(pods, pod('lost', { 'run-ms': '600' }));
    await inPhase('lost', 'Running');
    await node.loseNode();
    await eventually(async () => {
      const { spec } = await api.get<{ spec: { taints?: { key: string }[] } }>(`/api/v1/nodes/${node.nodeNames[0]}`);
      expect(spec.taints?.map((taint) => taint.key)).toContain('node.kubernetes.io/unreachable');
    });
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect((await get('lost')).status?.phase).toBe('Running');
    await node.restoreNode();
    await inPhase('lost', 'Succeeded');
  });

  it('keeps its data over a crash of the API server', async () => {
    await cluster.kubectl(['create', 'configmap', 'api-crash']);
    await cluster.restartApiServer('SIGKILL');
    expect((await cluster.kubectl(['get', 'configmap', 'api-crash'])).code).toBe(0);
    await api.create(pods, pod('after-api-crash'));
    await inPhase('after-api-crash', 'Succeeded');
  });

  it('keeps its data over a crash of etcd', async () => {
    await cluster.kubectl(['create', 'configmap', 'etcd-crash']);
    await cluster.stopEtcd();
    await cluster.startEtcd();
    expect((await cluster.kubectl(['get', 'configmap', 'etcd-crash'])).code).toBe(0);
  });

  it('answers again after etcd hung', async () => {
    cluster.pauseEtcd();
    const waiting = cluster.kubectl(['create', 'configmap', 'patience']);
    const first = await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 500, 'nothing'))]);
    cluster.resumeEtcd();
    expect(first).toBe('nothing');
    expect((await waiting).code).toBe(0);
  });
});

describe('control planes', () => {
  it('run three at once, each with its own objects', async () => {
    const three = await Promise.all(
      ['one', 'two', 'three'].map((name) => startControlPlane({ name, scheduler: false })),
    );
    try {
      await Promise.all(three.map((cluster, index) => cluster.kubectl(['create', 'configmap', `own-${index}`])));
      const found = await Promise.all(three.map(({ kubectl }) => kubectl(['get', 'configmaps', '-o=name'])));
      expect(found.map(({ stdout }) => /own-\d/.exec(stdout)?.[0])).toEqual(['own-0', 'own-1', 'own-2']);
    } finally {
      await Promise.all(three.map((cluster) => cluster.stop()));
    }
  });

  it('say what a program said that ended early', async () => {
    const started = startControlPlane({ apiServerArgs: ['--no-such-flag'] });
    await expect(started).rejects.toThrow(/kube-apiserver ended early \(1\):[^]*unknown flag: --no-such-flag/);
  });

  it('stand for the cluster of TEST_KUBECONFIG, whose processes they leave alone', async () => {
    await using own = await startControlPlane({ scheduler: false });
    vi.stubEnv('TEST_KUBECONFIG', own.kubeconfigPath);
    try {
      await using same = await startControlPlane({ nodes: 1 });
      const spec = { nodeName: same.simulatedNode?.nodeNames[0] };
      await same.kubectl(['create', '-f', '-'], { input: JSON.stringify(pod('here', {}, spec)) });
      const succeeded = ['wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/here', '--timeout=20s'];
      expect(await own.kubectl(succeeded)).toMatchObject({ code: 0 });
      const asAlice = ['auth', 'can-i', 'list', 'pods', '--kubeconfig', await same.userKubeconfig('alice')];
      expect((await same.kubectl(asAlice)).stdout.trim()).toBe('no');
      expect(() => same.pauseEtcd()).toThrow('TEST_KUBECONFIG');
    } finally {
      vi.unstubAllEnvs();
    }
    expect((await own.kubectl(['get', 'nodes', '-o=name'])).stdout).toBe('');
  });

  it('accept pods without a controller manager', async () => {
    await using cluster = await startControlPlane({ controllerManager: false, scheduler: false });
    const result = await cluster.kubectl(['create', '-f', '-'], { input: JSON.stringify(pod('alone')) });
    expect(result.code).toBe(0);
  });
});
