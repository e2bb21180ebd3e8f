import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KubeClient } from '../../lib/kube/client.ts';
import type { KubeObject } from '../../lib/kube/objects.ts';
import { Reflector } from '../../lib/kube/reflector.ts';
import type { ReflectorOptions } from '../../lib/kube/reflector-options.ts';
import { configMaps } from '../../lib/kube/resources.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';

let plane: ControlPlane;
let client: KubeClient;

beforeAll(async () => {
  plane = await startControlPlane({ name: 'kube-reflector', controllerManager: false, scheduler: false });
  client = await KubeClient.fromKubeconfig({
    kubeconfig: plane.kubeconfigPath,
    retry: { attempts: 30, maxDelayMs: 1000 },
  });
});

afterAll(async () => {
  await client?.close();
  await plane?.stop();
});

class Copy implements AsyncDisposable {
  readonly tale = new Map<string, unknown>();
  readonly errors: unknown[] = [];
  readonly reflector: Reflector;
  readonly #stop = new AbortController();

  constructor(label: string, options: ReflectorOptions<KubeObject> = {}) {
    this.reflector = new Reflector(client, configMaps, {
      labelSelector: `test=${label}`,
      onChange: ({ metadata, data }) => this.tale.set(metadata.name, data),
      onDelete: ({ metadata }) => this.tale.delete(metadata.name),
      onError: (error) => this.errors.push(error),
      ...options,
    });
    this.reflector.start(this.#stop.signal);
  }

  /** Waits until the copy is what the server has. */
  async agrees(label: string): Promise<void> {
    const end = Date.now() + 60_000;
    for (;;) {
      const { items } = await client.list(configMaps, { labelSelector: `test=${label}` });
      const expected = items.map(({ metadata, data }) => [metadata.name, data]);
      try {
        expect([...this.tale].toSorted()).toEqual(expected.toSorted());
        return;
      } catch (error) {
        if (Date.now() > end) throw error;
        await wait(50);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.reflector.stopped();
  }
}

function configMap(label: string, name: string, value: string): KubeObject {
  const metadata = { name: `${label}-${name}`, labels: { test: label } };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value } };
}

async function put(label: string, name: string, value: string): Promise<void> {
  const object = configMap(label, name, value);
  await client.patch(configMaps, object.metadata.name, object, { type: 'apply', force: true });
}

test('follows objects over orderly and sudden restarts of the API server', async () => {
  await put('restart', 'a', '0');
  await using copy = new Copy('restart');
  await copy.reflector.synced();
  expect(copy.tale).toEqual(new Map([['restart-a', { value: '0' }]]));
  expect(copy.reflector.get('default/restart-a')?.metadata.managedFields).toBeUndefined();
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await put('restart', 'a', signal);
    await plane.restartApiServer(signal);
    await put('restart', 'b', signal);
    await client.delete(configMaps, 'restart-a');
    await copy.agrees('restart');
    await put('restart', 'c', `after ${signal}`);
    await copy.agrees('restart');
  }
  expect(copy.tale.get('restart-c')).toEqual({ value: 'after SIGKILL' });
});

test('resumes after the server went silent with the connection open', async () => {
  await using copy = new Copy('silent', { idleMs: 2000 });
  await copy.reflector.synced();
  await put('silent', 'a', '1');
  await copy.agrees('silent');
  plane.pauseApiServer();
  await wait(3000);
  plane.resumeApiServer();
  await put('silent', 'a', '2');
  await copy.agrees('silent');
  expect(copy.errors.map(String).some((error) => error.includes('was silent for 2000 ms'))).toBe(true);
});

test('keeps up with a burst, while its handlers are slow', async () => {
  const count = 1000;
  const busy = (): void => {
    const until = performance.now() + 2;
    while (performance.now() < until);
  };
  await using slow = new Copy('burst', { onChange: busy, pageSize: 100 });
  await using copy = new Copy('burst', { pageSize: 100 });
  await copy.reflector.synced();
  const started = performance.now();
  const names = Array.from({ length: count }, (_, i) => `${i}`);
  await Promise.all(names.map((name) => client.create(configMaps, configMap('burst', name, '1'))));
  const seconds = (performance.now() - started) / 1000;
  await copy.agrees('burst');
  while (slow.reflector.size < count) await wait(20);
  console.info(`${Math.round(count / seconds)} creates/s; ${slow.errors.length} breaks`);
  expect(copy.reflector.size).toBe(count);
  await Promise.all(names.map((name) => client.delete(configMaps, `burst-${name}`)));
  await copy.agrees('burst');
  expect(copy.reflector.size).toBe(0);
});
