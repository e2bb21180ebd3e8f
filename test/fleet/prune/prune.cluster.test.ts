import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { applyCluster } from '../../../lib/fleet/apply/apply-cluster.ts';
import type { ApplyResult, Manifest } from '../../../lib/fleet/apply/apply-result.ts';
import { inventoryId } from '../../../lib/fleet/apply/applyset.ts';
import { planCluster } from '../../../lib/fleet/apply/cluster-plan.ts';
import { executePlan } from '../../../lib/fleet/apply/execute-plan.ts';
import { KubeClient } from '../../../lib/kube/client.ts';
import type { KubeObject } from '../../../lib/kube/objects.ts';
import { configMaps, cronJobs, jobs, namespaces, serviceAccounts } from '../../../lib/kube/resources.ts';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import { eventually } from '../../cluster/eventually.ts';
import { graph, manifest, plan } from '../manifests.ts';

let cluster: ControlPlane;
let client: KubeClient;
let namespace: string;
let count = 0;

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'prune', scheduler: false });
  client = await KubeClient.fromKubeconfig({ kubeconfig: cluster.kubeconfigPath });
});

afterAll(async () => {
  await client?.close();
  await cluster?.stop();
});

beforeEach(async () => {
  namespace = `prune-${++count}`;
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
});

const inventory = (name = 'acme') => ({ name, namespace });

function apply(manifests: readonly Manifest[], options: Parameters<typeof applyCluster>[2] = {}): Promise<ApplyResult> {
  return applyCluster(client, manifests, { namespace, inventory: inventory(), ...options });
}

const outcomes = ({ objects, failure }: ApplyResult): string[] => [
  ...objects.map(({ kind, name, outcome }) => `${kind} ${name} ${outcome}`),
  ...(failure ? [failure.message] : []),
];

async function names(of = cronJobs): Promise<string[]> {
  const { items } = await client.list(of, { namespace });
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(({ metadata }) => metadata.name);
}

describe('prune', () => {
  it('deletes what left the directory, and shrinks the inventory after that', async () => {
    await apply([plan('a'), plan('b'), manifest('ServiceAccount', 'runner'), graph('etl-abc')]);
    const parent = () => client.get(configMaps, 'applyset-acme', { namespace });
    const kinds = async () => (await parent()).metadata.annotations!['applyset.kubernetes.io/contains-group-kinds'];
    expect(await kinds()).toBe('CronJob.batch,ServiceAccount');
    const dry = await apply([plan('a')], { dryRun: true });
    const expected = ['CronJob a unchanged', 'CronJob b pruned', 'ServiceAccount runner pruned'];
    expect(outcomes(dry)).toEqual(expected);
    expect(await names()).toEqual(['a', 'b']);
    expect(outcomes(await apply([plan('a')]))).toEqual(expected);
    expect(await eventually(async () => (await names()).join())).toBe('a');
    expect(await names(serviceAccounts)).toEqual(['default']);
    expect(await kinds()).toBe('CronJob.batch');
    expect((await client.get(configMaps, 'etl-abc', { namespace })).metadata.labels).not.toHaveProperty([
      'applyset.kubernetes.io/part-of',
    ]);
    const { metadata } = await parent();
    expect(outcomes(await apply([plan('a')]))).toEqual(['CronJob a unchanged']);
    expect((await parent()).metadata.resourceVersion).toBe(metadata.resourceVersion);
  });

  it('finds what it applied in other namespaces, through the inventory', async () => {
    const other = `${namespace}-other`;
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: other } });
    await apply([plan('a'), plan('b', {}, { namespace: other })]);
    await apply([plan('a')]);
    await expect(client.get(cronJobs, 'b', { namespace: other })).rejects.toThrow('not found');
  });

  it('lets the runs of a plan go on that is deleted', async () => {
    await apply([plan('a'), plan('gone')]);
    const run = (name: string) => cluster.kubectl(['create', 'job', name, '--from=cronjob/gone', '-n', namespace]);
    await Promise.all([run('active'), run('other')]);
    const before = await client.get(jobs, 'active', { namespace });
    expect(before.metadata.ownerReferences).toMatchObject([{ kind: 'CronJob', name: 'gone', controller: true }]);
    expect(outcomes(await apply([plan('a')]))).toEqual(['CronJob a unchanged', 'CronJob gone pruned']);
    await eventually(() => expect(client.get(cronJobs, 'gone', { namespace })).rejects.toThrow('not found'));
    // The garbage collector would have deleted them by now, as it does here with a Job whose owner is gone.
    const orphan = { ...before.metadata.ownerReferences![0]!, uid: '00000000-0000-0000-0000-000000000000' };
    const spec = (before.spec as { template: { spec: object } }).template.spec;
    await client.create(jobs, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'lost', namespace, ownerReferences: [orphan] },
      spec: { template: { spec } },
    });
    await eventually(() => expect(client.get(jobs, 'lost', { namespace })).rejects.toThrow('not found'));
    for (const name of ['active', 'other']) {
      const { metadata, spec: kept } = await client.get(jobs, name, { namespace });
      expect(metadata.ownerReferences).toBeUndefined();
      expect(metadata.deletionTimestamp).toBeUndefined();
      expect(kept).toMatchObject({ ttlSecondsAfterFinished: 604800 });
    }
  });

  it('deletes only the very object and only while it is a member', async () => {
    await apply([plan('a'), plan('released'), plan('touched'), plan('replaced')]);
    const planned = await planCluster(client, [plan('a')], { namespace, inventory: inventory() });
    const label = (name: string, value: string) => cluster.kubectl(['label', 'cronjob', name, '-n', namespace, value]);
    await label('released', 'applyset.kubernetes.io/part-of-');
    await label('touched', 'note=mine');
    await client.delete(cronJobs, 'replaced', { namespace });
    const { object } = plan('replaced');
    await eventually(() => client.create(cronJobs, { ...object, metadata: { ...object.metadata, namespace } }));
    expect(outcomes(await executePlan(client, planned)).sort()).toEqual([
      'CronJob a unchanged',
      'CronJob released kept',
      'CronJob replaced pruned',
      'CronJob touched pruned',
    ]);
    expect(await eventually(async () => (await names()).join())).toBe('a,released,replaced');
  });

  it('keeps what a run needs that began after the plan was made, and remembers it', async () => {
    await apply([plan('a'), manifest('ServiceAccount', 'runner'), manifest('Secret', 'key')]);
    const planned = await planCluster(client, [plan('a')], { namespace, inventory: inventory() });
    const spec = { restartPolicy: 'Never', serviceAccountName: 'runner', containers: [{ name: 'c', image: 'x' }] };
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'late', namespace } };
    await client.create(jobs, { ...job, spec: { suspend: true, template: { spec } } });
    const { objects } = await executePlan(client, planned);
    expect(objects.map(({ name, outcome, reason }) => [name, outcome, reason?.message])).toEqual([
      ['a', 'unchanged', undefined],
      ['key', 'pruned', undefined],
      ['runner', 'kept', 'is kept: the run late needs it'],
    ]);
    await client.delete(jobs, 'late', { namespace, propagationPolicy: 'Background' });
    await eventually(() => expect(client.get(jobs, 'late', { namespace })).rejects.toThrow('not found'));
    expect(outcomes(await apply([plan('a')]))).toEqual(['CronJob a unchanged', 'ServiceAccount runner pruned']);
  });

  it('deletes nothing after an error, also one that shows only when something is written', async () => {
    await apply([plan('a'), plan('gone')]);
    const bad = plan('bad', { schedule: 'often' });
    expect(outcomes(await apply([plan('a'), bad]))).toEqual([
      'CronJob a unchanged',
      'CronJob bad failed',
      'CronJob gone kept',
    ]);
    expect(await names()).toEqual(['a', 'gone']);
    // It is still known, and goes once the error is mended.
    expect(outcomes(await apply([plan('a')]))).toContain('CronJob gone pruned');
  });

  it('deletes nothing when a quota is used up', async () => {
    await apply([plan('a'), plan('gone')]);
    await cluster.kubectl(['create', 'quota', 'few', '--hard=count/cronjobs.batch=2', '-n', namespace]);
    await eventually(async () => {
      const { stdout } = await cluster.kubectl(['get', 'quota', 'few', '-n', namespace, '-o', 'json']);
      expect((JSON.parse(stdout) as KubeObject).status).toMatchObject({ used: { 'count/cronjobs.batch': '2' } });
    });
    const { objects } = await apply([plan('a'), plan('new')]);
    expect(objects.map(({ name, outcome, failure }) => [name, outcome, failure?.fix])).toEqual([
      ['a', 'unchanged', undefined],
      ['new', 'failed', 'free some of the quota, or ask for more'],
      ['gone', 'kept', undefined],
    ]);
  });

  it('deletes nothing for an empty directory, nor more than the limit', async () => {
    const many = Array.from({ length: 12 }, (_, index) => plan(`p-${index}`));
    await apply(many);
    expect(new Set(outcomes(await apply([])).map((line) => line.split(' ')[2]))).toEqual(new Set(['kept']));
    expect(outcomes(await apply([plan('new')]))).toEqual([
      'it would delete 12 of 12 objects, and --prune-limit allows 6',
    ]);
    expect(await names()).toHaveLength(12);
    expect(outcomes(await apply([plan('new')], { yesDelete: true }))).toContain('CronJob p-0 pruned');
  });

  it('keeps what it may not list the members of', async () => {
    await apply([plan('a'), manifest('ServiceAccount', 'gone')]);
    const rule = (verbs: string, on: string) =>
      cluster.kubectl(['create', 'role', `${on}-${namespace}`, `--verb=${verbs}`, `--resource=${on}`, '-n', namespace]);
    const all = 'get,list,create,patch,update,delete';
    await Promise.all([rule(all, 'configmaps'), rule(all, 'cronjobs'), rule(all, 'leases')]);
    for (const on of ['configmaps', 'cronjobs', 'leases']) {
      const args = ['create', 'rolebinding', on, `--role=${on}-${namespace}`, '--user=alice', '-n', namespace];
      await cluster.kubectl(args);
    }
    const alice = await KubeClient.fromKubeconfig({ kubeconfig: await cluster.userKubeconfig('alice') });
    const options = { namespace, inventory: inventory() };
    expect(outcomes(await applyCluster(alice, [plan('b')], options))).toEqual(['CronJob b created', 'CronJob a kept']);
    await alice.close();
    expect(await names(serviceAccounts)).toContain('gone');
    // Whoever may list them all still finds them.
    expect(outcomes(await apply([plan('b')]))).toContain('ServiceAccount gone pruned');
  });
});

describe('whose an object is', () => {
  it('an object of another inventory is refused by the name of its fleet', async () => {
    await apply([plan('a')], { inventory: inventory('other') });
    const { objects } = await apply([plan('a')]);
    expect(objects[0]!.failure).toEqual({
      message: `belongs to the fleet "other" (ConfigMap ${namespace}/applyset-other)`,
      fix: `apply it from there, or release it with: kubectl label -n ${namespace} cronjob a applyset.kubernetes.io/part-of-`,
    });
    expect((await client.get(cronJobs, 'a', { namespace })).metadata.labels).toMatchObject({
      'applyset.kubernetes.io/part-of': inventoryId(inventory('other')),
    });
  });

  it('an ApplySet of kubectl is recognized, and kubectl recognizes ours', async () => {
    const set = (name: string) => ['apply', '-n', namespace, '--prune', `--applyset=configmaps/${name}`, '-f', '-'];
    const input = JSON.stringify(plan('theirs').object);
    process.env.KUBECTL_APPLYSET = 'true';
    try {
      const applied = await cluster.kubectl(set('applyset-kube'), { input });
      expect(applied.stderr).not.toContain('error');
      const { metadata } = await client.get(configMaps, 'applyset-kube', { namespace });
      expect(metadata.labels!['applyset.kubernetes.io/id']).toBe(inventoryId(inventory('kube')));
      expect(outcomes(await apply([plan('a')], { inventory: inventory('kube') }))).toEqual([
        `the ApplySet ${namespace}/applyset-kube is kept by "kubectl"`,
      ]);
      expect(outcomes(await apply([plan('theirs')]))).toEqual(['CronJob theirs failed']);
      await apply([plan('ours')]);
      const refused = await cluster.kubectl(set('applyset-acme'), { input });
      expect(refused.stderr).toContain('managed by tooling "cdk8s-workflows"');
      expect(await names()).toEqual(['ours', 'theirs']);
    } finally {
      delete process.env.KUBECTL_APPLYSET;
    }
  });

  it('what kubectl applied becomes ours, with the fields that the manifest does not have', async () => {
    const before = plan('a', { schedule: '1 * * * *', startingDeadlineSeconds: 60 });
    await cluster.kubectl(['apply', '-n', namespace, '-f', '-'], { input: JSON.stringify(before.object) });
    const { objects } = await planCluster(client, [plan('a')], { namespace, inventory: inventory() });
    expect(objects.map(({ action, adopts }) => [action, adopts])).toEqual([['change', true]]);
    expect(outcomes(await apply([plan('a')]))).toEqual(['CronJob a configured']);
    const { metadata, spec } = await client.get(cronJobs, 'a', { namespace });
    expect(spec).toMatchObject({ schedule: '0 0 31 2 *' });
    expect(spec).not.toHaveProperty('startingDeadlineSeconds');
    expect(metadata.annotations).toBeUndefined();
    expect((metadata.managedFields as { manager: string }[]).map(({ manager }) => manager)).toEqual([
      'cdk8s-workflows',
    ]);
    expect(outcomes(await apply([plan('a')]))).toEqual(['CronJob a unchanged']);
  });

  it('what kubectl applied under the same name and is not of this project is a conflict until forced', async () => {
    const theirs = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { a: 'theirs' } };
    await cluster.kubectl(['apply', '-n', namespace, '-f', '-'], { input: JSON.stringify(theirs) });
    const ours = manifest('ConfigMap', 'settings', { data: { a: 'ours' } });
    const { objects } = await apply([ours]);
    expect(objects[0]!.failure?.message).toBe('.data.a is set by "kubectl-client-side-apply"');
    expect(outcomes(await apply([ours], { force: true }))).toEqual(['ConfigMap settings configured']);
  });

  it('writes only what drifted', async () => {
    const manifests = [plan('a'), plan('b'), plan('c'), graph('etl-abc')];
    await apply(manifests);
    const versions = async () =>
      (await client.list<KubeObject>(cronJobs, { namespace })).items.map(({ metadata }) => metadata.resourceVersion);
    const before = await versions();
    await cluster.kubectl(['patch', 'cronjob', 'b', '-n', namespace, '-p', '{"spec":{"suspend":false}}']);
    const objects = (await apply(manifests, { force: true })).objects;
    expect(objects.map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged', 'configured', 'unchanged']);
    const after = await versions();
    expect(after.map((version, index) => version === before[index])).toEqual([true, false, true]);
  });
});
