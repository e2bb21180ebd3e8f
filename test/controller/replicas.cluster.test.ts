import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { controllerRules, leaderElectionRules } from '../../lib/graph/permissions.ts';
import { annotations } from '../../lib/graph/labels.ts';
import { clusterRoleBindings, clusterRoles, resource } from '../../lib/kube/resources.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { freePort } from '../cluster/ports.ts';
import { Child } from './child.ts';
import { Bench, chain, cronJob, runOf, workflow, type TestStep } from './support.ts';

let cluster: ControlPlane;
let bench: Bench;
let kubeconfig: string;

beforeAll(async () => {
  cluster = await startControlPlane({ nodes: 1, name: 'replicas' });
  bench = await Bench.create(cluster.kubeconfigPath);
  // All replicas of this file have the permissions that are synthesized, and no others.
  const rules = [...controllerRules, ...leaderElectionRules];
  const rbac = 'rbac.authorization.k8s.io';
  await bench.client.create(clusterRoles, {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'workflows' },
    rules,
  });
  await bench.client.create(clusterRoleBindings, {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'workflows' },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'workflows' },
    subjects: [{ apiGroup: rbac, kind: 'User', name: 'alice' }],
  });
  kubeconfig = await cluster.userKubeconfig('alice');
});
afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
});

const leaseNamespace = resource('coordination.k8s.io/v1', 'Lease', 'leases');

function replica(...args: string[]): Child {
  const common = ['--kubeconfig', kubeconfig, '--lease-namespace', bench.namespace, '--lease-name', 'election'];
  const child = new Child(['controller', '-A', ...common, ...args]);
  onTestFinished(async () => void (await child.end('SIGKILL')));
  return child;
}

const leads = (child: Child) => child.log.some(({ message }) => message === 'All runs are known');

describe('a replica', () => {
  it('is allowed what runs need that are steps of others, and to stop them', async () => {
    replica('--lease-name', 'allowed');
    const leaf = workflow('leaf', [{ name: 'a', sim: { stuck: 'Running' } }]);
    const outer = workflow('within', [
      { name: 'own', runs: runOf(leaf) },
      { name: 'planned', runs: { plan: 'leaf-plan' } },
    ]);
    await bench.apply(...leaf.manifests, cronJob(leaf, 'leaf-plan'));
    await bench.launch(outer, 'within');
    for (const child of ['within-own-1', 'within-planned-1'])
      await bench.recorded(child, ({ steps }) => steps.get('a')?.phase === 'Running');
    await bench.annotate('within', annotations.cancel, 'Now');
    await bench.finished('within');
    expect((await bench.record('within-planned-1')).run.phase).toBe('Cancelled');
  });
});

describe('two replicas', () => {
  it('agree on a leader, and the other takes over when it is killed', async () => {
    const replicas = [replica(), replica()];
    const leader = await eventually(() => {
      const [first] = replicas.filter(leads);
      if (!first) throw new Error(replicas.map(({ output }) => output).join('\n'));
      return first;
    });
    const other = replicas.find((candidate) => candidate !== leader)!;
    await bench.launch(workflow('handed', chain(6, { sim: { 'run-ms': '300' } })), 'handed');
    await bench.recorded('handed', ({ steps }) => steps.get('s1')?.phase === 'Running');
    expect(leads(other)).toBe(false);
    await leader.end('SIGKILL');
    expect((await bench.finished('handed', 60_000)).status).toMatchObject({ succeeded: 6 });
    expect(leads(other)).toBe(true);
    expect(await bench.pods('handed')).toHaveLength(6);
  });
});

describe('a replica with no more than the permissions of the manifests', () => {
  it('runs and stops steps of both kinds, answers probes, and hands the lease over when it is asked to end', async () => {
    await bench.client.delete(leaseNamespace, 'election').catch(() => undefined);
    const port = await freePort();
    const child = replica('--health-port', String(port));
    const get = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: answer.status, text: await answer.text() };
    };
    await eventually(async () => expect((await get('/readyz')).status).toBe(200));
    expect(await get('/healthz')).toMatchObject({ status: 200 });

    const steps: TestStep[] = [
      { name: 'pod' },
      { name: 'job', runAs: 'Job', after: ['pod'] },
      { name: 'stuck-pod', after: ['job'], sim: { stuck: 'Running' } },
      { name: 'stuck-job', runAs: 'Job', after: ['job'], sim: { stuck: 'Running' } },
      { name: 'nowhere', after: ['job'], spec: { nodeSelector: { gpu: 'h9000' } } },
    ];
    await bench.launch(workflow('allowed', steps), 'allowed');
    await bench.recorded('allowed', ({ steps: s }) => s.get('stuck-pod')?.reason === 'ContainerRunning');
    await bench.annotate('allowed', annotations.cancel, 'Now');
    await bench.finished('allowed');
    await eventually(async () => expect((await bench.events('allowed')).join()).toContain('RunCancelled'));
    const { text } = await get('/metrics');
    expect(text).toMatch(/cdk8s_workflows_runs_ended_total\{phase="Cancelled"\} 1/);
    expect(text).toMatch(/cdk8s_workflows_leader 1/);

    const asked = performance.now();
    expect(await child.end('SIGTERM'), child.output).toBe(0);
    expect(performance.now() - asked).toBeLessThan(10_000);
    const lease = await bench.client.get(leaseNamespace, 'election');
    expect((lease.spec as { holderIdentity?: string }).holderIdentity ?? '').toBe('');
    expect(child.output).not.toContain('forbidden');
  });
});
