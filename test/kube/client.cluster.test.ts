import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KubeClient } from '../../lib/kube/client.ts';
import {
  isAlreadyExists,
  isConflict,
  isForbidden,
  isGone,
  isInvalid,
  isNotFound,
  isUnauthorized,
  KubeError,
} from '../../lib/kube/errors.ts';
import { EventRecorder } from '../../lib/kube/events.ts';
import { loadKubeconfig } from '../../lib/kube/kubeconfig.ts';
import { selectContext } from '../../lib/kube/context.ts';
import type { KubeObject, NewObject } from '../../lib/kube/objects.ts';
import { configMaps, jobs, pods, selfSubjectAccessReviews } from '../../lib/kube/resources.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';

let plane: ControlPlane;
let client: KubeClient;

beforeAll(async () => {
  plane = await startControlPlane({ name: 'kube-client', nodes: 1 });
  client = await KubeClient.fromKubeconfig({ kubeconfig: plane.kubeconfigPath });
});

afterAll(async () => {
  await client?.close();
  await plane?.stop();
});

const failure = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

function configMap(name: string, data: Record<string, string> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

function job(name: string, more: object = {}): NewObject {
  const containers = [{ name: 'main', image: 'busybox' }];
  const template = { spec: { restartPolicy: 'Never', containers } };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { template, ...more } };
}

describe('KubeClient and a real API server', () => {
  test('create, read, replace, patch, list and delete', async () => {
    expect((await client.version()).gitVersion).toMatch(/^v1\./);
    const created = await client.create(configMaps, configMap('crud', { a: '1' }));
    expect(created).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'crud', namespace: 'default' } });
    expect(isAlreadyExists(await failure(client.create(configMaps, configMap('crud'))))).toBe(true);

    const replaced = await client.replace(configMaps, { ...created, data: { a: '2' } });
    expect(isConflict(await failure(client.replace(configMaps, { ...created, data: { a: '3' } })))).toBe(true);

    const { resourceVersion, uid } = replaced.metadata;
    const merged = await client.patch(
      configMaps,
      'crud',
      { metadata: { resourceVersion }, data: { b: '1' } },
      { type: 'merge' },
    );
    expect(merged['data']).toEqual({ a: '2', b: '1' });
    const stale = { metadata: { resourceVersion }, data: { c: '1' } };
    expect(isConflict(await failure(client.patch(configMaps, 'crud', stale, { type: 'merge' })))).toBe(true);
    const patched = await client.patch(configMaps, 'crud', [{ op: 'remove', path: '/data/b' }], { type: 'json' });
    expect(patched['data']).toEqual({ a: '2' });
    expect(await client.get(configMaps, 'crud')).toEqual(patched);

    const listed = await client.list(configMaps, { fieldSelector: 'metadata.name=crud' });
    expect(listed.items).toEqual([patched]);

    expect(isConflict(await failure(client.delete(configMaps, 'crud', { uid: 'another' })))).toBe(true);
    await client.delete(configMaps, 'crud', { uid });
    expect(isNotFound(await failure(client.get(configMaps, 'crud')))).toBe(true);
    expect(isNotFound(await failure(client.delete(configMaps, 'crud')))).toBe(true);
  });

  test('a dry run writes nothing', async () => {
    expect(await client.create(configMaps, configMap('dry'), { dryRun: true })).toMatchObject({ kind: 'ConfigMap' });
    expect(isNotFound(await failure(client.get(configMaps, 'dry')))).toBe(true);
  });

  test('keeps fields that a typed client drops', async () => {
    const managedBy = 'cdk8s-workflows.dev/controller';
    const created = await client.create(jobs, job('managed', { managedBy, suspend: true }));
    expect(created['spec']).toMatchObject({ managedBy });
    const status = { startTime: '2026-01-02T03:04:05Z', active: 1, ready: 0 };
    // A suspended job may not have a start time.
    const resumed = await client.patch(jobs, 'managed', { spec: { suspend: false } }, { type: 'merge' });
    expect(resumed['spec']).toMatchObject({ managedBy, suspend: false });
    const written = await client.patch(jobs, 'managed', { status }, { type: 'merge', subresource: 'status' });
    expect(written['status']).toMatchObject({ active: 1 });
    await client.delete(jobs, 'managed', { propagationPolicy: 'Background' });
  });

  test('server-side apply: fields have owners, and force takes them over', async () => {
    const applied = await client.patch(configMaps, 'owned', configMap('owned', { a: '1' }), {
      type: 'apply',
      fieldManager: 'first',
    });
    expect(applied['data']).toEqual({ a: '1' });
    const second = configMap('owned', { a: '2', b: '2' });
    const conflict = await failure(
      client.patch(configMaps, 'owned', second, { type: 'apply', fieldManager: 'second' }),
    );
    expect(isConflict(conflict)).toBe(true);
    expect((conflict as KubeError).causes).toMatchObject([{ reason: 'FieldManagerConflict', field: '.data.a' }]);
    const forced = await client.patch(configMaps, 'owned', second, {
      type: 'apply',
      fieldManager: 'second',
      force: true,
    });
    expect(forced['data']).toEqual({ a: '2', b: '2' });
    // What a manager no longer applies goes away.
    const less = await client.patch(configMaps, 'owned', configMap('owned', { a: '2' }), {
      type: 'apply',
      fieldManager: 'second',
    });
    expect(less['data']).toEqual({ a: '2' });
  });

  test('an invalid object: every field that is wrong', async () => {
    const error = await failure(client.create(jobs, job('bad', { parallelism: -1, completions: -1 })));
    expect(isInvalid(error)).toBe(true);
    expect((error as KubeError).causes.map(({ field }) => field)).toEqual(['spec.parallelism', 'spec.completions']);
  });

  test('warnings and strict fields', async () => {
    const warnings: string[] = [];
    const warned = await KubeClient.fromKubeconfig({
      kubeconfig: plane.kubeconfigPath,
      onWarning: (text) => warnings.push(text),
    });
    await warned.create(configMaps, { ...configMap('warned'), nonsense: 1 }, { fieldValidation: 'Warn', dryRun: true });
    expect(warnings).toEqual(['unknown field "nonsense"']);
    const strict = warned.create(configMaps, { ...configMap('w'), nonsense: 1 }, { fieldValidation: 'Strict' });
    expect(isInvalid(await failure(strict))).toBe(true);
    await warned.close();
  });

  test('who may do what', async () => {
    const alice = await KubeClient.fromKubeconfig({ kubeconfig: await plane.userKubeconfig('alice') });
    const error = await failure(alice.get(pods, 'web'));
    expect(isForbidden(error)).toBe(true);
    expect(String(error)).toMatch(/^KubeError: Cannot get Pod default\/web: pods "web" is forbidden: User "alice"/);
    const review = await alice.create(selfSubjectAccessReviews, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'default' } },
    });
    expect(review['status']).toMatchObject({ allowed: false });
    await alice.close();
    const context = await selectContext(await loadKubeconfig(plane.kubeconfigPath));
    const nobody = await KubeClient.fromContext({ ...context, user: { token: 'wrong' } });
    expect(isUnauthorized(await failure(nobody.get(pods, 'web')))).toBe(true);
    await nobody.close();
  });

  test('one page after the other', async () => {
    for (const name of ['p1', 'p2', 'p3']) {
      await client.create(configMaps, { ...configMap(name), metadata: { name, labels: { page: 'x' } } });
    }
    const page = { labelSelector: 'page=x', limit: 2 };
    const first = await client.list(configMaps, page);
    const rest = await client.list(configMaps, { ...page, continue: first.metadata.continue });
    expect([...first.items, ...rest.items].map(({ metadata }) => metadata.name)).toEqual(['p1', 'p2', 'p3']);
    expect(rest.metadata.continue || undefined).toBeUndefined();
  });

  test('the log of a pod, followed to its end', async () => {
    const annotations = { 'sim.cdk8s-workflows.dev/log': 'one\ntwo\n', 'sim.cdk8s-workflows.dev/run-ms': '300' };
    const containers = [{ name: 'main', image: 'busybox' }];
    await client.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'logged', annotations },
      spec: { restartPolicy: 'Never', containers },
    });
    await eventually(async () => {
      expect((await client.get(pods, 'logged'))['status']).not.toMatchObject({ phase: 'Pending' });
    });
    let text = '';
    for await (const chunk of await client.log('default', 'logged', { follow: true, tailLines: 1 })) {
      text += Buffer.from(chunk).toString();
    }
    expect(text).toBe('two\n');
    expect(isNotFound(await failure(client.log('default', 'no-such-pod')))).toBe(true);
  });

  test('kubectl describe shows recorded events, with their count', async () => {
    const created = await client.create(jobs, job('described', { suspend: true }));
    const recorder = new EventRecorder(client, {
      component: 'workflow-controller',
      onError: (error) => {
        throw error;
      },
    });
    recorder.record(created, { reason: 'StepFailed', message: 'load ended with exit code 1', type: 'Warning' });
    await recorder.flush();
    recorder.record(created, { reason: 'StepFailed', message: 'load ended with exit code 1', type: 'Warning' });
    recorder.record(created, { reason: 'StepStarted', message: 'load runs as described-load-1' });
    await recorder.flush();
    const { stdout } = await plane.kubectl(['describe', 'job', 'described']);
    expect(stdout).toMatch(
      /Warning\s+StepFailed\s+\S+ \(x2 over \S+\)\s+workflow-controller\s+load ended with exit code 1/,
    );
    expect(stdout).toMatch(/Normal\s+StepStarted\s+\S+\s+workflow-controller\s+load runs as described-load-1/);
    expect(recorder.dropped).toBe(0);
  });

  test('a request waits out a restart of the API server', async () => {
    await client.create(configMaps, configMap('waits'));
    await plane.stopApiServer('SIGKILL');
    const patient = await KubeClient.fromKubeconfig({
      kubeconfig: plane.kubeconfigPath,
      retry: { attempts: 20, maxDelayMs: 1000 },
    });
    const answer = patient.get(configMaps, 'waits');
    await wait(500);
    await plane.startApiServer();
    await expect(answer).resolves.toMatchObject({ metadata: { name: 'waits' } });
    await patient.close();
    // The old client's kept connections are broken, and it finds that out by itself.
    await expect(client.get(configMaps, 'waits')).resolves.toMatchObject({ metadata: { name: 'waits' } });
  });

  test('a version from before the restart is too old to watch', async () => {
    const read = async (): Promise<void> => {
      for await (const [event] of await client.watch(configMaps, { resourceVersion: '1', timeoutSeconds: 5 })) {
        if (event?.type === 'ERROR') throw new KubeError(event.object, { verb: 'watch', object: 'configmaps' });
      }
    };
    expect(isGone(await failure(read()))).toBe(true);
  });
});
