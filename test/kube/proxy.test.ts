import { createServer, request as forward } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { proxyFor } from '../../lib/kube/proxy.ts';
import { pods } from '../../lib/kube/resources.ts';
import { ApiServer, json } from './api-server.ts';

describe('proxyFor', () => {
  const env = { HTTPS_PROXY: 'http://proxy:3128' };
  test.each([
    // The server, the environment, the proxy.
    ['https://k.example.com:6443', {}, undefined],
    ['https://k.example.com:6443', env, 'http://proxy:3128'],
    ['https://k.example.com:6443', { https_proxy: 'proxy:3128' }, 'http://proxy:3128'],
    ['http://k.example.com', env, undefined],
    ['http://k.example.com', { HTTP_PROXY: 'http://plain' }, 'http://plain'],
    ['https://localhost:6443', env, undefined],
    ['https://127.0.0.7:6443', env, undefined],
    ['https://[::1]:6443', env, undefined],
    ['https://k.example.com:6443', { ...env, NO_PROXY: '*' }, undefined],
    ['https://k.example.com:6443', { ...env, NO_PROXY: 'a.b, example.com' }, undefined],
    ['https://example.com', { ...env, NO_PROXY: '.example.com' }, 'http://proxy:3128'],
    ['https://k.example.com', { ...env, NO_PROXY: '.example.com' }, undefined],
    ['https://notexample.com', { ...env, NO_PROXY: 'example.com' }, 'http://proxy:3128'],
    ['https://k.example.com:6443', { ...env, NO_PROXY: 'example.com:6443' }, undefined],
    ['https://k.example.com:6443', { ...env, NO_PROXY: 'example.com:443' }, 'http://proxy:3128'],
    ['https://10.1.2.3', { ...env, NO_PROXY: '10.0.0.0/8' }, undefined],
    ['https://11.1.2.3', { ...env, NO_PROXY: '10.0.0.0/8' }, 'http://proxy:3128'],
    ['https://10.1.2.3', { ...env, NO_PROXY: '10.1.2.3' }, undefined],
    ['https://[fd00::5]', { ...env, no_proxy: 'fd00::/8' }, undefined],
    ['https://[fd00::5]', { ...env, NO_PROXY: 'fd00::5' }, undefined],
    ['https://10.1.2.3', { ...env, NO_PROXY: '10.0.0.0/99,x/8' }, 'http://proxy:3128'],
  ])('%s with %j goes by %s', (server, environment, expected) => {
    expect(proxyFor(new URL(server), undefined, environment)).toBe(expected);
  });

  test('prefers what the kubeconfig says', () => {
    expect(proxyFor(new URL('https://localhost'), 'socks5://p', env)).toBe('socks5://p');
  });
});

test('requests go through the proxy of the kubeconfig', async () => {
  await using api = await ApiServer.start((_, response) => json(response, 200, { ok: true }));
  const through: string[] = [];
  await using proxy = createServer((incoming, response) => {
    through.push(incoming.url ?? '');
    forward(incoming.url ?? '', (answer) => answer.pipe(response)).end();
  });
  proxy.on('connect', (request, socket) => {
    through.push(request.url ?? '');
    const upstream = connect(api.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const client = await api.client({
    cluster: { 'proxy-url': `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` },
  });
  await expect(client.get(pods, 'a')).resolves.toEqual({ ok: true });
  expect(through.length).toBe(1);
  expect(through[0]).toContain(`127.0.0.1:${api.port}`);
  await client.close();
  proxy.closeAllConnections();
});
