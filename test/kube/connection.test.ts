import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { KubeClient } from '../../lib/kube/client.ts';
import { ConnectionError, isRetryable } from '../../lib/kube/errors.ts';
import { configMaps, pods } from '../../lib/kube/resources.ts';
import { ApiServer, json, status } from './api-server.ts';
import { HastyClock, settle } from './manual-clock.ts';

const hasty = (): { environment: { clock: HastyClock; random: () => number } } => ({
  environment: { clock: new HastyClock(), random: () => 0 },
});
const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };

describe('retries on the wire', () => {
  test('honours Retry-After of a 429, also for a create without a name', async () => {
    await using api = await ApiServer.start((_, response) =>
      api.seen.length < 3 ? status(response, 429, 'TooManyRequests', { 'retry-after': '2' }) : json(response, 201, {}),
    );
    const { environment } = hasty();
    const client = await api.client({ environment });
    await client.create(configMaps, { ...configMap, metadata: { generateName: 'a-' } });
    expect(environment.clock.slept).toEqual([2000, 2000]);
  });

  test.each([
    ['a read', (c: KubeClient) => c.get(pods, 'a'), 2],
    ['a create with a name', (c: KubeClient) => c.create(configMaps, configMap), 2],
    [
      'a create without a name',
      (c: KubeClient) => c.create(configMaps, { ...configMap, metadata: { generateName: 'a-' } }),
      1,
    ],
    [
      'a replace of one version',
      (c: KubeClient) => c.replace(configMaps, { ...configMap, metadata: { name: 'a', resourceVersion: '1' } }),
      2,
    ],
    ['a replace of any version', (c: KubeClient) => c.replace(configMaps, configMap), 1],
    ['an apply', (c: KubeClient) => c.patch(configMaps, 'a', configMap, { type: 'apply' }), 2],
    ['a merge patch', (c: KubeClient) => c.patch(configMaps, 'a', { data: {} }, { type: 'merge' }), 1],
    [
      'a merge patch of one version',
      (c: KubeClient) => c.patch(configMaps, 'a', { metadata: { resourceVersion: '1' } }, { type: 'merge' }),
      2,
    ],
    [
      'a JSON patch that tests the version',
      (c: KubeClient) =>
        c.patch(configMaps, 'a', [{ op: 'test', path: '/metadata/resourceVersion', value: '1' }], { type: 'json' }),
      2,
    ],
    [
      'a merge patch that says so',
      (c: KubeClient) => c.patch(configMaps, 'a', {}, { type: 'merge', repeatable: true }),
      2,
    ],
    ['a delete with uid', (c: KubeClient) => c.delete(configMaps, 'a', { uid: 'u' }), 2],
    ['a delete of a name', (c: KubeClient) => c.delete(configMaps, 'a'), 1],
  ])('after a broken connection %s', async (_, call, tries) => {
    await using api = await ApiServer.start((seen, response) => {
      if (api.seen.length === 1) seen.socket.destroy();
      else json(response, 200, {});
    });
    const client = await api.client(hasty());
    const result = await call(client).catch((error: unknown) => error);
    expect(api.seen.length).toBe(tries);
    if (tries === 1) expect(result).toMatchObject({ name: 'ConnectionError', problem: 'broken', maybeSent: true });
  });

  test('reconnects when the server has closed the idle connection', async () => {
    await using api = await ApiServer.start((_, response) => json(response, 200, {}));
    const client = await api.client(hasty());
    await client.get(pods, 'a');
    for (const socket of api.sockets) socket.destroy();
    await wait(5);
    await client.create(configMaps, { ...configMap, metadata: { generateName: 'a-' } });
    expect(api.seen.length).toBe(2);
  });

  test('gives each try its time', async () => {
    await using api = await ApiServer.start((_, response) => {
      if (api.seen.length === 2) json(response, 200, { ok: true });
    });
    const client = await api.client({ ...hasty(), timeoutMs: 50 });
    await expect(client.get(pods, 'a')).resolves.toEqual({ ok: true });
    await expect(client.delete(pods, 'a')).rejects.toMatchObject({ problem: 'timeout', maybeSent: true });
  });

  test('gives up on an answer that stops in the middle', async () => {
    await using api = await ApiServer.start((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"half');
    });
    const client = await api.client({ ...hasty(), timeoutMs: 50, retry: { attempts: 1 } });
    await expect(client.get(pods, 'a')).rejects.toMatchObject({ problem: 'timeout' });
  });
});

describe('no answer', () => {
  async function failure(server: string, cluster: object = {}): Promise<ConnectionError> {
    const context = { name: 't', clusterName: 't', userName: 't', user: {}, cluster: { server, ...cluster } };
    const client = await KubeClient.fromContext(context, { ...hasty(), timeoutMs: 200 });
    const error = await client.get(pods, 'a').catch((e: unknown) => e);
    await client.close();
    expect(error).toBeInstanceOf(ConnectionError);
    return error as ConnectionError;
  }

  test('says that nothing listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    const error = await failure(`http://127.0.0.1:${port}`);
    expect(error).toMatchObject({ problem: 'refused', maybeSent: false });
    expect(error.message).toMatch(
      new RegExp(`^Cannot get Pod default/a: no answer from http://127.0.0.1:${port}. Nothing listens there`),
    );
    expect(isRetryable(error)).toBe(true);
  });

  test('says that the host is unknown', async () => {
    expect(await failure('https://no-such-host.invalid')).toMatchObject({ problem: 'unknown-host' });
  });
});

describe('abort', () => {
  test('rejects at once with the reason and closes the socket of a request under way', async () => {
    await using api = await ApiServer.start(() => undefined);
    const client = await api.client();
    const abort = new AbortController();
    const reason = new Error('enough');
    const result = client.get(pods, 'a', { signal: abort.signal });
    while (api.seen.length === 0) await wait(1);
    abort.abort(reason);
    await expect(result).rejects.toBe(reason);
    while (api.sockets.size > 0) await wait(1);
  });

  test('rejects at once while the connection is still being made', async () => {
    // It takes the connection and never says a word, so that the TLS handshake hangs.
    await using mute = createServer().listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const client = await KubeClient.fromContext({
      name: 't',
      clusterName: 't',
      userName: 't',
      user: {},
      cluster: { server: `https://127.0.0.1:${(mute.address() as AddressInfo).port}` },
    });
    mute.on('connection', (socket) => setTimeout(() => socket.destroy(), 50));
    const abort = new AbortController();
    const result = client.get(pods, 'a', { signal: abort.signal });
    await once(mute, 'connection');
    abort.abort('enough');
    await expect(result).rejects.toBe('enough');
  });

  test('does not even ask when it was aborted before', async () => {
    await using api = await ApiServer.start((_, response) => json(response, 200, {}));
    const client = await api.client();
    await expect(client.get(pods, 'a', { signal: AbortSignal.abort('before') })).rejects.toBe('before');
    await settle();
    expect(api.seen).toEqual([]);
  });

  test('ends a stream, with the reason', async () => {
    await using api = await ApiServer.start((_, response) => {
      response.writeHead(200);
      response.write('first line\n');
    });
    const client = await api.client();
    const abort = new AbortController();
    const log = await client.log('default', 'a', { follow: true, tailLines: 5, signal: abort.signal });
    const read = async (): Promise<void> => {
      for await (const chunk of log) {
        expect(Buffer.from(chunk).toString()).toBe('first line\n');
        abort.abort('enough');
      }
    };
    await expect(read()).rejects.toBe('enough');
    while (api.sockets.size > 0) await wait(1);
    expect(api.seen[0]?.path).toBe('/api/v1/namespaces/default/pods/a/log');
    expect(Object.fromEntries(api.seen[0]?.query ?? [])).toEqual({ follow: 'true', tailLines: '5' });
  });
});

test('a followed log may stay silent as long as it likes', async () => {
  await using api = await ApiServer.start(async (_, response) => {
    await wait(1500);
    response.end('at last');
  });
  const client = await api.client({ timeoutMs: 50, retry: { attempts: 1 } });
  await expect(client.log('default', 'a')).rejects.toMatchObject({ problem: 'timeout' });
  const chunks = [];
  for await (const chunk of await client.log('default', 'a', { follow: true })) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toBe('at last');
});

describe('connections', () => {
  test('are kept and used again', async () => {
    await using api = await ApiServer.start((_, response) => json(response, 200, {}));
    const client = await api.client();
    for (let i = 0; i < 20; i++) await client.get(pods, 'a');
    // undici takes a connection back in the turn after the answer was read, so two take turns.
    expect(new Set(api.seen.map(({ socket }) => socket)).size).toBeLessThanOrEqual(2);
  });

  test('for requests stay free however many streams are open', async () => {
    await using api = await ApiServer.start(({ query }, response) => {
      if (query.has('watch')) response.writeHead(200).flushHeaders();
      else json(response, 200, {});
    });
    const client = await api.client({ connections: 1 });
    await Promise.all(Array.from({ length: 20 }, () => client.watch(pods, { resourceVersion: '1' })));
    await client.get(pods, 'a');
    expect(api.seen.length).toBe(21);
  });

  test('of a log that nobody reads on are closed', async () => {
    await using api = await ApiServer.start((_, response) => {
      response.writeHead(200);
      response.write('x');
    });
    const client = await api.client();
    for await (const _ of await client.log('default', 'a', { follow: true })) break;
    while (api.sockets.size > 0) await wait(1);
  });
});
