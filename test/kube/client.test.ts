import { describe, expect, test } from 'vitest';
import { isAlreadyExists, isNotFound, KubeError } from '../../lib/kube/errors.ts';
import { configMaps, jobs, namespaces, pods } from '../../lib/kube/resources.ts';
import { ApiServer, json, status } from './api-server.ts';

const echo = ApiServer.start.bind(null, (seen, response) => {
  const body = seen.body === '' ? {} : (JSON.parse(seen.body) as object);
  json(response, 200, { ...body, echoed: true });
});

describe('KubeClient', () => {
  test('reads an object with every field it has', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { brandNewField: { of: [1] } },
    };
    await using api = await ApiServer.start((_, response) => json(response, 200, pod));
    const client = await api.client();
    expect(await client.get(pods, 'web', { namespace: 'shop' })).toEqual(pod);
    expect(api.seen[0]).toMatchObject({ method: 'GET', path: '/api/v1/namespaces/shop/pods/web' });
    expect(api.seen[0]?.headers['user-agent']).toBe('cdk8s-workflows');
  });

  test('uses its own namespace, the one of the object, or none for what has none', async () => {
    await using api = await echo();
    const client = await api.client({ namespace: 'mine' });
    await client.get(pods, 'a');
    await client.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'b', namespace: 'theirs' } });
    await client.get(namespaces, 'c');
    await client.list(jobs, { namespace: null });
    expect(api.seen.map(({ path }) => path)).toEqual([
      '/api/v1/namespaces/mine/pods/a',
      '/api/v1/namespaces/theirs/pods',
      '/api/v1/namespaces/c',
      '/apis/batch/v1/jobs',
    ]);
  });

  test('keeps the path that the address of the server has', async () => {
    await using api = await echo();
    const client = await api.client({ cluster: { server: `http://127.0.0.1:${api.port}/k8s/clusters/c-1/` } });
    await client.get(pods, 'a');
    expect(api.seen[0]?.path).toBe('/k8s/clusters/c-1/api/v1/namespaces/default/pods/a');
  });

  test.each(['', '.', '..', 'a/b', 'a%2fb'])(
    'refuses the name %j, which would ask for something else',
    async (name) => {
      await using api = await echo();
      const client = await api.client();
      await expect(client.delete(pods, name)).rejects.toThrow(TypeError);
      expect(api.seen).toEqual([]);
    },
  );

  test('gives items of a list the kind that the API server leaves out', async () => {
    await using api = await ApiServer.start((_, response) =>
      json(response, 200, {
        apiVersion: 'batch/v1',
        kind: 'JobList',
        metadata: { resourceVersion: '7', continue: 'next' },
        items: [{ metadata: { name: 'a' } }],
      }),
    );
    const client = await api.client();
    const list = await client.list(jobs, { labelSelector: 'a=b', limit: 5, continue: 'this' });
    expect(list.items).toEqual([{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'a' } }]);
    expect(list.metadata).toEqual({ resourceVersion: '7', continue: 'next' });
    expect(Object.fromEntries(api.seen[0]?.query ?? [])).toEqual({
      labelSelector: 'a=b',
      limit: '5',
      continue: 'this',
    });
  });

  test.each([
    ['merge', 'application/merge-patch+json', {}],
    ['strategic', 'application/strategic-merge-patch+json', {}],
    ['json', 'application/json-patch+json', {}],
    ['apply', 'application/apply-patch+yaml', { fieldManager: 'cdk8s-workflows' }],
  ] as const)('sends a patch of type %s', async (type, contentType, query) => {
    await using api = await echo();
    const client = await api.client();
    await client.patch(pods, 'a', { data: 1 }, { type, subresource: 'status' });
    expect(api.seen[0]).toMatchObject({
      method: 'PATCH',
      path: '/api/v1/namespaces/default/pods/a/status',
      body: '{"data":1}',
    });
    expect(api.seen[0]?.headers['content-type']).toBe(contentType);
    expect(Object.fromEntries(api.seen[0]?.query ?? [])).toEqual(query);
  });

  test('asks for a dry run, a field manager and force', async () => {
    await using api = await echo();
    const client = await api.client();
    await client.patch(pods, 'a', {}, { type: 'apply', dryRun: true, fieldManager: 'me', force: true });
    expect(Object.fromEntries(api.seen[0]?.query ?? [])).toEqual({ dryRun: 'All', fieldManager: 'me', force: 'true' });
  });

  test('deletes with preconditions', async () => {
    await using api = await echo();
    const client = await api.client();
    await client.delete(pods, 'a', { uid: 'u', propagationPolicy: 'Foreground', gracePeriodSeconds: 0 });
    expect(JSON.parse(api.seen[0]?.body ?? '')).toEqual({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid: 'u' },
      propagationPolicy: 'Foreground',
      gracePeriodSeconds: 0,
    });
  });

  test('says in plain words what was refused, and keeps the Status', async () => {
    await using api = await ApiServer.start((_, response) =>
      status(response, 422, 'Invalid', {}, { causes: [{ field: 'spec.completions', reason: 'FieldValueInvalid' }] }),
    );
    const client = await api.client();
    const object = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'a' } };
    const error = await client.create(jobs, object).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(KubeError);
    expect(error).toMatchObject({
      message: 'Cannot create Job default/a: it is Invalid (Invalid, 422)',
      code: 422,
      reason: 'Invalid',
      causes: [{ field: 'spec.completions', reason: 'FieldValueInvalid' }],
    });
  });

  test('tells "not found" from a wrong address', async () => {
    await using api = await ApiServer.start(({ path }, response) => {
      if (path.startsWith('/api/')) status(response, 404, 'NotFound');
      else response.writeHead(404).end('404 page not found');
    });
    const client = await api.client();
    expect(isNotFound(await client.get(pods, 'a').catch((e: unknown) => e))).toBe(true);
    const wrong = await client.get(jobs, 'a').catch((e: unknown) => e);
    expect(isNotFound(wrong)).toBe(false);
    expect(wrong).toMatchObject({ code: 404, message: expect.stringContaining('404 page not found') });
  });

  test('takes a page of HTML for what it is', async () => {
    await using api = await ApiServer.start((_, response) => void response.end('<html>Log in</html>'));
    const client = await api.client();
    await expect(client.get(pods, 'a')).rejects.toThrow(/did not answer like an API server: "<html>Log in/);
  });

  test('hands on the warnings of the server', async () => {
    const warnings: string[] = [];
    await using api = await ApiServer.start((_, response) =>
      json(response, 200, {}, { warning: '299 - "batch/v1beta1 is \\"old\\"", 299 - "unknown field"' }),
    );
    const client = await api.client({ onWarning: (text) => warnings.push(text) });
    await client.get(jobs, 'a');
    expect(warnings).toEqual(['batch/v1beta1 is "old"', 'unknown field']);
  });

  test('surfaces AlreadyExists when the answer to the first try got lost', async () => {
    let tries = 0;
    await using api = await ApiServer.start((seen, response) => {
      if (++tries === 1) seen.socket.destroy();
      else status(response, 409, 'AlreadyExists');
    });
    const client = await api.client({ retry: { baseDelayMs: 1 } });
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
    const error = await client.create(configMaps, object).catch((e: unknown) => e);
    expect(isAlreadyExists(error)).toBe(true);
    expect(tries).toBe(2);
  });
});
