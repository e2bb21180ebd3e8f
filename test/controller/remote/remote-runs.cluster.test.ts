import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Job } from '../../../lib/controller/objects.ts';
import type { RemoteCluster } from '../../../lib/controller/remote/remote-watch.ts';
import type { ControllerOptions } from '../../../lib/controller/controller.ts';
import { annotations, labels } from '../../../lib/graph/labels.ts';
import { clusterIdentityRules, controllerRules, remoteRunsRules } from '../../../lib/graph/permissions.ts';
import { KubeClient } from '../../../lib/kube/client.ts';
import { clusterRoleBindings, clusterRoles, configMaps, jobs, namespaces } from '../../../lib/kube/resources.ts';
import type { ObjectSchema } from '../../../lib/values/schema.ts';
import { cliFor, steady } from '../../cli/cluster-cli.ts';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import { eventually } from '../../cluster/eventually.ts';
import { Child } from '../child.ts';
import { Bench, cronJob, run, runOf, workflow, type TestStep } from '../support.ts';

const FAR = 'gpu-eu';

/** The cluster of the runs, and the one that steps of them have theirs on. */
let near: ControlPlane;
let far: ControlPlane;
let here: Bench;
let there: Bench;
/** A user who may do there what a controller needs whose steps have their runs there, and no more. */
let access: string;
/** The same here, for a controller with access to other clusters. */
let own: string;

beforeAll(async () => {
  [near, far] = await Promise.all([
    startControlPlane({ nodes: 1, name: 'near' }),
    startControlPlane({ nodes: 1, name: 'far' }),
  ]);
  await allow(near, 'alice', [...controllerRules, ...clusterIdentityRules]);
  await allow(far, 'alice', remoteRunsRules);
  [own, access] = await Promise.all([near.userKubeconfig('alice'), far.userKubeconfig('alice')]);
}, 120_000);
afterAll(async () => {
  await Promise.all([near?.stop(), far?.stop()]);
});

beforeEach(async () => {
  here = await Bench.create(near.kubeconfigPath);
  there = await Bench.named(far.kubeconfigPath, here.namespace);
  onTestFinished(async () => void (await Promise.all([here.close(), there.close()])));
});

async function allow(cluster: ControlPlane, user: string, rules: readonly object[]): Promise<void> {
  const rbac = 'rbac.authorization.k8s.io';
  await using client = disposable(await KubeClient.fromKubeconfig({ kubeconfig: cluster.kubeconfigPath }));
  const metadata = { name: `workflows-${user}` };
  await client.create(clusterRoles, { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata, rules });
  await client.create(clusterRoleBindings, {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata,
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: metadata.name },
    subjects: [{ apiGroup: rbac, kind: 'User', name: user }],
  });
}

function disposable(client: KubeClient) {
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

const timing = { missingMs: 1_500, auditMs: 1_000, statusGapMs: 100 };

/** Starts the controller there, and one here with access to it. */
async function controllers(options: { readonly remote?: Partial<RemoteCluster> } = {}) {
  const [first, second] = [await there.controller(), await nearController(options)];
  return { there: first, here: second };
}

/** Starts a controller here, with no more permissions than it needs. */
async function nearController({
  remote = {},
  ...more
}: { readonly remote?: Partial<RemoteCluster> } & Partial<ControllerOptions> = {}) {
  const client = await KubeClient.fromKubeconfig({ kubeconfig: own, namespace: here.namespace });
  const elsewhere = await KubeClient.fromKubeconfig({ kubeconfig: access, retry: { maxElapsedMs: 500 } });
  onTestFinished(async () => void (await Promise.all([client.close(), elsewhere.close()])));
  const remoteClusters = [{ name: FAR, client: elsewhere, ...remote }];
  return here.controller({ client, timing, remoteClusters, ...more });
}

const rows: ObjectSchema = { properties: { rows: { type: 'integer' } }, required: [] };
const wrote = (value: object) => ({ outputs: JSON.stringify(value) });

/** Gives `rows`, from a step of its own. */
const inner = (name: string, step: Partial<TestStep> = {}) =>
  workflow(name, [{ name: 'work', outputs: { ...rows, required: ['rows'] }, sim: wrote({ rows: 7 }), ...step }], {
    outputs: { rows: { step: 'work', output: 'rows' } },
  });

const outer = (of: ReturnType<typeof inner>, step: Partial<TestStep> = {}) =>
  workflow('outer', [{ name: 'train', runs: runOf(of), outputs: rows, cluster: FAR, ...step }], {
    outputs: { rows: { step: 'train', output: 'rows' } },
  });

const stuck = { sim: { stuck: 'Running' } };

const childrenOf = async (run: string): Promise<readonly Job[]> => {
  const { items } = await there.client.list<Job>(jobs, { labelSelector: `${labels.run}=${run}` });
  return items;
};

/** The only run there that is a step of this run. */
const childOf = (run: string) =>
  eventually(async () => {
    const [child, ...others] = await childrenOf(run);
    if (child === undefined || others.length > 0) throw new Error(`${others.length + (child ? 1 : 0)} children`);
    return child;
  }, 20_000);

const runs = (run: string) => here.recorded(run, ({ steps }) => steps.get('train')?.reason === 'RunRunning');
const stepOf = async (run: string, step = 'train') => (await here.record(run)).steps.get(step)!;

describe('a step whose run is on another cluster', () => {
  it('is a run that the controller there sequences, which says whose it is, and gives its outputs', async () => {
    await controllers();
    const leaf = inner('leaf');
    await there.apply(...leaf.manifests);
    await here.launch(outer(leaf), 'etl', { annotations: { [annotations.priority]: '3' } });
    await here.finished('etl');
    expect((await here.record('etl')).run).toMatchObject({ phase: 'Succeeded', outputs: { rows: 7 } });
    const child = await childOf('etl');
    const system = await here.client.get(namespaces, 'kube-system');
    expect(child.metadata).toMatchObject({
      name: expect.stringMatching(/^etl-train-[0-9a-v]{5}-1$/),
      labels: {
        [labels.workflow]: 'leaf',
        [labels.step]: 'train',
        [labels.attempt]: '1',
        [labels.plan]: 'plan',
        [labels.parentCluster]: system.metadata.uid,
        [labels.parentNamespace]: here.namespace,
        [labels.parentUid]: (await here.job('etl')).metadata.uid,
      },
      annotations: { [annotations.within]: '["etl"]', [annotations.priority]: '3' },
    });
    expect(child.metadata.ownerReferences).toBeUndefined();
    expect(await here.client.list<Job>(jobs, { labelSelector: labels.step })).toMatchObject({ items: [] });
  });

  it('is shown here with its cluster, and there with the run that it is a step of, and may be rerun there', async () => {
    await controllers();
    const broken = inner('broken', { sim: { 'exit-code': '4' } });
    await there.apply(...broken.manifests);
    await here.launch(outer(broken), 'etl');
    await here.finished('etl');
    const { name } = (await childOf('etl')).metadata;
    const cli = cliFor(near.kubeconfigPath, here.namespace);
    const described = steady((await cli(['describe', 'etl'])).stdout);
    expect(described).toContain(`RUN STEP CLUSTER PHASE DURATION\n${name} train gpu-eu Failed <n>s\n`);
    const flags = `--kubeconfig ${near.kubeconfigPath} --context gpu-eu -n ${here.namespace}`;
    expect(described).toContain(`On cluster gpu-eu: cdk8s-workflows describe ${name} ${flags}`);
    expect(described).toContain(`its steps: cdk8s-workflows describe ${name} ${flags}`);
    expect(JSON.parse((await cli(['describe', 'etl', '-o', 'json'])).stdout).steps).toMatchObject([
      { name: 'train', workflow: 'broken', cluster: 'gpu-eu', attempts: [{ object: `run/${name}` }] },
    ]);
    expect((await cli(['logs', 'etl'])).stderr).toContain(
      `[train] is a run of its own: cdk8s-workflows logs ${name} --context gpu-eu -n ${here.namespace}`,
    );
    const farCli = cliFor(far.kubeconfigPath, here.namespace);
    const system = await here.client.get(namespaces, 'kube-system');
    expect(steady((await farCli(['describe', name])).stdout)).toContain(
      `Step of: etl (train), on another cluster (kube-system ${system.metadata.uid})`,
    );
    expect((await farCli(['rerun', name])).code).toBe(0);
    const again = await there.finished(`${name}-r1`);
    expect(Object.keys(again.metadata.labels!).sort()).toEqual(
      [labels.managedBy, labels.plan, labels.version, labels.workflow].sort(),
    );
    // A rerun of the run around it begins another one.
    expect((await cli(['rerun', 'etl'])).code).toBe(0);
    await here.finished('etl-r1');
    expect(await childrenOf('etl-r1')).toHaveLength(1);
  });

  it('fails with that run, and is tried again', async () => {
    await controllers();
    const broken = inner('broken', { sim: { 'exit-code': '4' } });
    await there.apply(...broken.manifests);
    await here.launch(outer(broken, { retries: { limit: 1 } }), 'etl');
    await here.finished('etl');
    const { attempts, message } = await stepOf('etl');
    expect(attempts.map(({ reason }) => reason)).toEqual(['RunFailed', 'RunFailed']);
    expect(message).toMatch(/^run etl-train-\w{5}-2 failed: 1 of 1 steps failed: work \(exit code 4\) \(2 attempts\)$/);
    expect(await childrenOf('etl')).toHaveLength(2);
  });

  it('may be of a launch plan there, in a namespace that the controller was told', async () => {
    const other = await Bench.create(far.kubeconfigPath, 'other');
    onTestFinished(() => other.close());
    await other.controller();
    await nearController({ remote: { namespace: other.namespace } });
    const leaf = inner('leaf');
    await other.apply(...leaf.manifests, cronJob(leaf, 'leaf-plan'));
    await here.launch(outer(leaf, { runs: { plan: 'leaf-plan' } }), 'etl');
    await here.finished('etl');
    expect((await here.record('etl')).run.outputs).toEqual({ rows: 7 });
    const { items } = await other.client.list<Job>(jobs, {
      labelSelector: `${labels.parentNamespace}=${here.namespace}`,
    });
    expect(items).toHaveLength(1);
  });

  it('fails for good when its graph is not there, or there is no access to its cluster', async () => {
    await controllers();
    const leaf = inner('leaf');
    const both = workflow(
      'outer',
      [
        {
          name: 'absent',
          runs: { workflow: 'leaf', graph: 'absent-1', version: '1' },
          cluster: FAR,
          retries: { limit: 2 },
        },
        { name: 'unplanned', runs: { plan: 'nobody' }, cluster: FAR, retries: { limit: 2 } },
        { name: 'denied', runs: runOf(leaf), cluster: 'elsewhere', retries: { limit: 2 } },
      ],
      { failurePolicy: 'RunIndependent' },
    );
    await here.launch(both, 'etl');
    await here.finished('etl');
    const { steps } = await here.record('etl');
    const ended = (reason: string, message: string) => ({ reason, message, attempts: [{ failure: 'permanent' }] });
    expect(Object.fromEntries(steps)).toMatchObject({
      absent: ended('Rejected', 'there is no graph absent-1 of leaf on cluster gpu-eu, also after 1.5 s'),
      unplanned: ended('Rejected', 'there is no launch plan nobody on cluster gpu-eu, also after 1.5 s'),
      denied: ended(
        'NoClusterAccess',
        'the controller has no access to cluster elsewhere: give it to WorkflowController with remoteClusters, or to the command with --remote-cluster',
      ),
    });
  });

  it('is cancelled in good order with the run around it, and at once when that becomes urgent', async () => {
    await controllers();
    const tidy = workflow('tidy', [
      { name: 'work', ...stuck },
      { name: 'clean', role: 'finally', ...stuck },
    ]);
    await there.apply(...tidy.manifests);
    await here.launch(outer(tidy), 'etl');
    await runs('etl');
    const { name } = (await childOf('etl')).metadata;
    await there.recorded(name, ({ steps }) => steps.get('work')?.reason === 'ContainerRunning');
    await here.annotate('etl', annotations.cancel, 'RunFinally');
    await there.recorded(name, ({ steps }) => steps.get('clean')?.reason === 'ContainerRunning');
    await here.annotate('etl', annotations.cancel, 'Now');
    await here.finished('etl');
    expect((await stepOf('etl')).phase).toBe('Cancelled');
    expect((await there.record(name)).run.phase).toBe('Cancelled');
  });

  it('is not tried again when somebody cancels it there', async () => {
    await controllers();
    const slow = inner('slow', stuck);
    await there.apply(...slow.manifests);
    await here.launch(outer(slow, { retries: { limit: 3 } }), 'etl');
    await runs('etl');
    await there.annotate((await childOf('etl')).metadata.name, annotations.cancel, 'Now');
    await here.finished('etl');
    expect((await stepOf('etl')).attempts).toMatchObject([{ reason: 'RunFailed', failure: 'permanent' }]);
  });

  it('is run again when it is deleted there', async () => {
    await controllers();
    const slow = inner('slow', stuck);
    await there.apply(...slow.manifests);
    await here.launch(outer(slow, { timeoutSeconds: 8 }), 'etl');
    await runs('etl');
    await there.client.delete(jobs, (await childOf('etl')).metadata.name, { propagationPolicy: 'Background' });
    await here.finished('etl', 40_000);
    expect((await stepOf('etl')).attempts.map(({ reason }) => reason)).toEqual(['RunDeleted', 'StepTimeout']);
  });

  it('waits when the access to that cluster was taken away, and says so, until somebody cancels it', async () => {
    const { here: first } = await controllers();
    const slow = inner('slow', stuck);
    await there.apply(...slow.manifests);
    await here.launch(outer(slow), 'etl');
    await runs('etl');
    await first.stop();
    const second = await here.controller({ timing });
    await here.recorded('etl', ({ steps }) =>
      /has no access to cluster gpu-eu/.test(steps.get('train')?.message ?? ''),
    );
    expect((await stepOf('etl')).reason).toBe('RunRunning');
    await here.annotate('etl', annotations.cancel, 'Now');
    await here.finished('etl');
    expect((await stepOf('etl')).phase).toBe('Cancelled');
    await second.stop();
    // It goes on there; who has the access again ends it.
    const child = await childOf('etl');
    expect(child.status?.active).toBe(1);
    await nearController();
    await there.finished(child.metadata.name);
    expect((await there.record(child.metadata.name)).run.phase).toBe('Cancelled');
  });
});

describe('a run on another cluster', () => {
  it('goes with the run around it, also when that was deleted while no controller ran, and no other does', async () => {
    const { here: first } = await controllers();
    const slow = inner('slow', stuck);
    await there.apply(...slow.manifests);
    for (const name of ['one', 'two', 'three']) await here.launch(outer(slow), name);
    for (const name of ['one', 'two', 'three']) await runs(name);
    await here.client.delete(jobs, 'one', { propagationPolicy: 'Background' });
    await eventually(async () => expect(await childrenOf('one')).toEqual([]), 20_000);
    await first.stop();
    await here.client.delete(jobs, 'two', { propagationPolicy: 'Background' });
    await eventually(async () => expect(here.job('two')).rejects.toThrow(), 20_000);
    expect(await childrenOf('two')).toHaveLength(1);
    await nearController();
    await eventually(async () => expect(await childrenOf('two')).toEqual([]), 20_000);
    expect(await childrenOf('three')).toMatchObject([{ status: { active: 1 } }]);
    expect((await stepOf('three')).reason).toBe('RunRunning');
  });

  it('is left alone by controllers of other clusters and of other namespaces', async () => {
    await controllers();
    const slow = inner('slow', stuck);
    await there.apply(...slow.manifests);
    const child = await there.client.create<Job>(jobs, {
      ...run(slow, 'foreign'),
      metadata: {
        name: 'foreign',
        labels: {
          [labels.managedBy]: 'cdk8s-workflows',
          [labels.run]: 'gone',
          [labels.step]: 'train',
          [labels.attempt]: '1',
          [labels.parentCluster]: 'another',
          [labels.parentNamespace]: here.namespace,
          [labels.parentUid]: 'nobody',
        },
        annotations: { [annotations.graph]: slow.graphName },
      },
    });
    const system = await here.client.get(namespaces, 'kube-system');
    const ours = { [labels.parentCluster]: system.metadata.uid! };
    const { name } = child.metadata;
    await there.patchJob(name, { metadata: { labels: { ...ours, [labels.parentNamespace]: 'other' } } });
    await there.recorded(name, ({ steps }) => steps.get('work')?.reason === 'ContainerRunning');
    await new Promise((resolve) => setTimeout(resolve, 3 * timing.auditMs));
    expect((await there.job(name)).metadata.deletionTimestamp).toBeUndefined();
    // The same, once it says that it is of this namespace.
    await there.patchJob(name, { metadata: { labels: { [labels.parentNamespace]: here.namespace } } });
    await eventually(async () => expect(await childrenOf('gone')).toEqual([]), 20_000);
  });

  it('is found again by another controller, also when it ended meanwhile, and is not made twice', async () => {
    const { here: first } = await controllers();
    const leaf = inner('leaf', { sim: { 'run-ms': '600', ...wrote({ rows: 3 }) } });
    await there.apply(...leaf.manifests);
    await here.launch(outer(leaf), 'etl');
    await runs('etl');
    await first.stop();
    await there.finished((await childOf('etl')).metadata.name);
    await nearController();
    await here.finished('etl');
    expect((await here.record('etl')).run).toMatchObject({ phase: 'Succeeded', outputs: { rows: 3 } });
    expect(await childrenOf('etl')).toHaveLength(1);
  });

  it('is adopted when the controller was killed between making it and writing that down', async () => {
    await there.controller();
    const slow = inner('slow', { sim: { 'run-ms': '1500', ...wrote({ rows: 5 }) } });
    await there.apply(...slow.manifests);
    const args = ['controller', '--kubeconfig', own, '-n', here.namespace, '--no-leader-elect'];
    const first = new Child([...args, '--remote-cluster', `name=${FAR},kubeconfig=${access}`]);
    onTestFinished(async () => void (await first.end('SIGKILL')));
    await here.launch(outer(slow), 'etl');
    const child = await childOf('etl');
    await first.end('SIGKILL');
    // It may have come to write it all the same.
    await here.client.delete(configMaps, 'etl-record').catch(() => undefined);
    await nearController();
    await here.finished('etl');
    expect((await here.record('etl')).run).toMatchObject({ phase: 'Succeeded', outputs: { rows: 5 } });
    expect((await childOf('etl')).metadata.uid).toBe(child.metadata.uid);
  });
});

describe('another cluster that cannot be reached', () => {
  it('fails nothing: the step says so, and goes on when it can', async () => {
    const { here: first } = await controllers();
    const leaf = inner('leaf', { sim: { 'run-ms': '3000', ...wrote({ rows: 2 }) } });
    await there.apply(...leaf.manifests);
    await here.launch(outer(leaf), 'before');
    await runs('before');
    await far.stopApiServer();
    const cut = /^cluster gpu-eu cannot be reached since \d{4}-.*Z: Cannot \w+ .*: no answer from https:/;
    try {
      await here.recorded('before', ({ steps }) => cut.test(steps.get('train')?.message ?? ''));
      expect((await stepOf('before')).reason).toBe('RunRunning');
      // One that begins now waits, and the runs of this cluster do not.
      await here.launch(outer(leaf), 'meanwhile');
      await here.launch(workflow('plain', [{ name: 'a' }]), 'plain');
      await here.finished('plain');
      await here.recorded('meanwhile', ({ steps }) => cut.test(steps.get('train')?.message ?? ''));
      expect((await stepOf('meanwhile')).reason).toBe('Created');
      // A controller that never saw what is there says the same, and takes nothing for gone.
      await first.stop();
      await nearController();
      const { message } = await stepOf('before');
      const again = (said = '') => cut.test(said) && said !== message;
      await here.recorded('before', ({ steps }) => again(steps.get('train')?.message));
    } finally {
      await far.startApiServer();
    }
    await here.finished('before', 60_000);
    await here.finished('meanwhile', 60_000);
    for (const name of ['before', 'meanwhile']) {
      const { run, steps } = await here.record(name);
      expect(run).toMatchObject({ phase: 'Succeeded', outputs: { rows: 2 } });
      expect(steps.get('train')).toMatchObject({ attempts: [{ phase: 'Succeeded' }] });
      expect(steps.get('train')!.message).toBeUndefined();
    }
  });

  it('holds up the end of a run that is cancelled until it is known', async () => {
    await controllers();
    const slow = inner('slow', stuck);
    await there.apply(...slow.manifests);
    await here.launch(outer(slow), 'etl');
    await runs('etl');
    await far.stopApiServer();
    try {
      await here.recorded('etl', ({ steps }) => /cannot be reached/.test(steps.get('train')?.message ?? ''));
      await here.annotate('etl', annotations.cancel, 'Now');
      const { steps } = await here.recorded('etl', (record) => record.steps.get('train')?.reason === 'Stopping');
      expect(steps.get('train')!.message).toMatch(/^its end was asked for \(CancelRequested\); cluster gpu-eu cannot/);
    } finally {
      await far.startApiServer();
    }
    await here.finished('etl', 60_000);
    expect((await stepOf('etl')).phase).toBe('Cancelled');
    expect((await there.record((await childOf('etl')).metadata.name)).run.phase).toBe('Cancelled');
  });
});
