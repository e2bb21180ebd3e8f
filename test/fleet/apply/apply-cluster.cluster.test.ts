import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyCluster } from '../../../lib/fleet/apply/apply-cluster.ts';
import type { Manifest } from '../../../lib/fleet/apply/apply-result.ts';
import { KubeClient } from '../../../lib/kube/client.ts';
import type { KubeObject } from '../../../lib/kube/objects.ts';
import { configMaps, cronJobs, podTemplates } from '../../../lib/kube/resources.ts';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';

let cluster: ControlPlane;
let client: KubeClient;

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'apply', scheduler: false });
  client = await KubeClient.fromKubeconfig({ kubeconfig: cluster.kubeconfigPath });
});

afterAll(async () => {
  await client?.close();
  await cluster?.stop();
});

const ours = { 'app.kubernetes.io/managed-by': 'cdk8s-workflows' };

function manifest(kind: string, name: string, rest: object = {}, apiVersion = 'v1'): Manifest {
  const { metadata, ...fields } = rest as { metadata?: object };
  const object = { apiVersion, kind, metadata: { name, labels: ours, ...metadata }, ...fields };
  return { object: object as KubeObject, source: `dist/${name}.k8s.yaml` };
}

const graph = (name: string): Manifest =>
  manifest('ConfigMap', name, {
    metadata: { labels: { ...ours, 'cdk8s-workflows.dev/version': 'abc' } },
    immutable: true,
    data: { 'graph.json': '{}' },
  });

const plan = (name: string, namespace?: string, fields: object = {}): Manifest => {
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'driver', image: 'x' }] } };
  const spec = { schedule: '0 0 31 2 *', suspend: true, jobTemplate: { spec: { template } }, ...fields };
  return manifest('CronJob', name, { metadata: { namespace }, spec }, 'batch/v1');
};

const outcomes = (result: Awaited<ReturnType<typeof applyCluster>>): string[] =>
  result.objects.map(({ kind, name, outcome }) => `${kind} ${name} ${outcome}`);

describe('apply to a cluster', () => {
  it('creates a namespace before what goes into it, and changes nothing the second time', async () => {
    const manifests = [
      plan('etl', 'first'),
      graph('etl-abc'),
      manifest('ServiceAccount', 'etl'),
      manifest('Namespace', 'first'),
    ];
    const options = { namespace: 'first' };
    const created = ['Namespace first', 'ServiceAccount etl', 'ConfigMap etl-abc', 'CronJob etl'];
    const dry = await applyCluster(client, manifests, { ...options, dryRun: true });
    expect(outcomes(dry)).toEqual(created.map((name) => `${name} created`));
    await expect(client.get(cronJobs, 'etl', { namespace: 'first' })).rejects.toThrow('not found');
    expect(outcomes(await applyCluster(client, manifests, options))).toEqual(created.map((name) => `${name} created`));
    expect(outcomes(await applyCluster(client, manifests, options))).toEqual(
      created.map((name) => `${name} unchanged`),
    );
    const changed = [plan('etl', 'first', { suspend: false }), ...manifests.slice(1)];
    const expected = created.map((name) => `${name} ${name.startsWith('CronJob') ? 'configured' : 'unchanged'}`);
    expect(outcomes(await applyCluster(client, changed, { ...options, dryRun: true }))).toEqual(expected);
    expect(outcomes(await applyCluster(client, changed, options))).toEqual(expected);
  });

  it('says configured when an object existed without our labels', async () => {
    await cluster.kubectl(['create', 'configmap', 'settings', '--from-literal=a=1']);
    // An object that is not new and not ours has a creation time before our write; times have whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const settings = manifest('ConfigMap', 'settings', { data: { b: '2' } });
    expect(outcomes(await applyCluster(client, [settings]))).toEqual(['ConfigMap settings configured']);
  });

  it('names the other manager and the field of a conflict, and takes over only when told', async () => {
    await applyCluster(client, [plan('conflict')]);
    await cluster.kubectl([
      'patch',
      'cronjob',
      'conflict',
      '-p',
      '{"spec":{"schedule":"1 * * * *"}}',
      '--field-manager=alice',
    ]);
    const { objects } = await applyCluster(client, [plan('conflict')]);
    expect(objects[0]!.failure).toEqual({
      message: '.spec.schedule is set by "alice"',
      fix: 'leave this field to "alice", or take over with --force-conflicts',
    });
    expect(outcomes(await applyCluster(client, [plan('conflict')], { force: true }))).toEqual([
      'CronJob conflict configured',
    ]);
  });

  it('reports every error at once, and writes nothing that comes after one', async () => {
    const { objects } = await applyCluster(client, [
      plan('later'),
      plan('wrong', undefined, { schedule: 'often', unknown: true }),
      plan('bad-schedule', undefined, { schedule: 'often' }),
      manifest('ConfigMap', 'Bad_Name'),
      manifest('Widget', 'w', {}, 'acme.example/v1'),
      manifest('ConfigMap', 'lost', { metadata: { namespace: 'nowhere' } }),
      plan('twice'),
      plan('twice'),
    ]);
    const failures = objects.map(({ name, outcome, failure }) => [name, outcome, failure?.message, failure?.fix]);
    expect(failures).toEqual([
      [
        'Bad_Name',
        'failed',
        expect.stringContaining('metadata.name: Invalid value: "Bad_Name"'),
        'correct the manifest',
      ],
      ['lost', 'failed', 'the namespace nowhere does not exist', 'kubectl create namespace nowhere'],
      [
        'w',
        'failed',
        'the cluster has no kind Widget in acme.example/v1',
        expect.stringContaining('CustomResourceDefinition'),
      ],
      ['later', 'skipped', undefined, undefined],
      ['wrong', 'failed', '.spec.unknown: field not declared in schema', 'correct the manifest'],
      [
        'bad-schedule',
        'failed',
        expect.stringContaining('spec.schedule: Invalid value: "often"'),
        'correct the manifest',
      ],
      ['twice', 'skipped', undefined, undefined],
      ['twice', 'failed', 'is there twice (the other is in dist/twice.k8s.yaml)', 'remove one of the two'],
    ]);
    await expect(client.get(cronJobs, 'later')).rejects.toThrow('not found');
  });

  it('says what to do about an immutable ConfigMap and a missing permission', async () => {
    await applyCluster(client, [graph('frozen')]);
    const other = { ...graph('frozen').object, data: { 'graph.json': '{"other":1}' } };
    const { objects } = await applyCluster(client, [{ object: other }]);
    expect(objects[0]!.failure?.fix).toBe('give it another name, or delete the old object first');
    const alice = await KubeClient.fromKubeconfig({ kubeconfig: await cluster.userKubeconfig('alice') });
    const denied = await applyCluster(alice, [graph('denied')]);
    expect(denied.objects[0]!.failure?.fix).toBe('ask for a role that lets alice patch configmaps');
    await alice.close();
  });

  it('mends a template that was edited by hand although its name says it is current', async () => {
    const template = manifest('PodTemplate', 'etl-load-abc', {
      metadata: { labels: { ...ours, 'cdk8s-workflows.dev/step': 'load' } },
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'a' }] } },
    });
    await applyCluster(client, [template]);
    await cluster.kubectl(['patch', 'podtemplate', 'etl-load-abc', '-p', '{"metadata":{"labels":{"note":"mine"}}}']);
    expect(outcomes(await applyCluster(client, [template]))).toEqual(['PodTemplate etl-load-abc unchanged']);
    const edit = '{"template":{"spec":{"containers":[{"name":"main","image":"b"}]}}}';
    await cluster.kubectl(['patch', 'podtemplate', 'etl-load-abc', '-p', edit, '--field-manager=cdk8s-workflows']);
    expect(outcomes(await applyCluster(client, [template], { force: true }))).toEqual([
      'PodTemplate etl-load-abc configured',
    ]);
    const mended = await client.get(podTemplates, 'etl-load-abc');
    expect(JSON.stringify(mended.template)).toContain('"image":"a"');
  });

  it('applies a hundred objects and asks for each kind once', async () => {
    const many = Array.from({ length: 100 }, (_, index) => graph(`many-${index}`));
    const progress: number[] = [];
    const result = await applyCluster(client, many, { onProgress: (done) => progress.push(done) });
    expect(result.objects.every(({ outcome }) => outcome === 'created')).toBe(true);
    expect(progress.at(-1)).toBe(100);
    const { items } = await client.list(configMaps, { labelSelector: 'cdk8s-workflows.dev/version=abc' });
    expect(items.length).toBeGreaterThanOrEqual(100);
  });

  it('gives a reason in place of objects when the cluster does not answer', async () => {
    const kubeconfig = cluster.kubeconfigPath;
    const away = await KubeClient.fromKubeconfig({ kubeconfig, retry: { attempts: 1 } });
    await cluster.stopApiServer();
    const result = await applyCluster(away, [graph('gone')]);
    await away.close();
    await cluster.startApiServer();
    expect(result).toEqual({ objects: [], failure: { message: expect.stringContaining('Nothing listens there') } });
  });
});
