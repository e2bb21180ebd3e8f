import { describe, expect, test } from 'vitest';
import { selectContext, serverOf, withAuthority } from '../../lib/kube/context.ts';
import { loadKubeconfig, type KubeconfigSources } from '../../lib/kube/kubeconfig.ts';

function sources(files: Record<string, string>, env: Record<string, string> = {}): KubeconfigSources {
  return { env, home: '/home/me', readFile: (path) => Promise.resolve(files[path]) };
}

function config(name: string, more = ''): string {
  return `
apiVersion: v1
kind: Config
current-context: ${name}
clusters:
- {name: ${name}, cluster: {server: "https://${name}:6443", certificate-authority: ca.crt}}
- {name: shared, cluster: {server: "https://shared-by-${name}"}}
users:
- name: ${name}
  user: {client-certificate: /etc/me.crt, client-key: keys/me.key, as-groups: [a, b]}
contexts:
- {name: ${name}, context: {cluster: ${name}, user: ${name}, namespace: ns-${name}}}
- {name: shared-${name}, context: {cluster: shared, user: ${name}}}
${more}`;
}

describe('loadKubeconfig', () => {
  test('reads ~/.kube/config, with paths relative to it', async () => {
    const from = sources({ '/home/me/.kube/config': config('one') });
    expect(await selectContext(await loadKubeconfig(undefined, from), undefined, from)).toEqual({
      name: 'one',
      clusterName: 'one',
      cluster: { server: 'https://one:6443', 'certificate-authority': '/home/me/.kube/ca.crt' },
      userName: 'one',
      user: {
        'client-certificate': '/etc/me.crt',
        'client-key': '/home/me/.kube/keys/me.key',
        'as-groups': ['a', 'b'],
      },
      namespace: 'ns-one',
    });
  });

  test('joins the files of $KUBECONFIG: the first wins, and a missing one is skipped', async () => {
    const env = { KUBECONFIG: '/gone:/a/one::/b/two' };
    const from = sources(
      { '/a/one': config('one'), '/b/two': config('two'), '/home/me/.kube/config': config('no') },
      env,
    );
    const joined = await loadKubeconfig(undefined, from);
    expect(joined.files).toEqual(['/a/one', '/b/two']);
    expect(joined.currentContext).toBe('one');
    expect([...joined.contexts.keys()].toSorted()).toEqual(['one', 'shared-one', 'shared-two', 'two']);
    expect(joined.clusters.get('shared')?.server).toBe('https://shared-by-one');
    expect(joined.clusters.get('two')?.['certificate-authority']).toBe('/b/ca.crt');
  });

  test('reads one file alone when told to, and says so when it is missing', async () => {
    const from = sources({ '/a/one': config('one'), '/b/two': config('two') }, { KUBECONFIG: '/a/one' });
    expect((await loadKubeconfig('/b/two', from)).currentContext).toBe('two');
    await expect(loadKubeconfig('/c', from)).rejects.toThrow('There is no kubeconfig at /c');
  });

  test('reads JSON', async () => {
    const text = JSON.stringify({ 'current-context': 'j', contexts: [{ name: 'j', context: { cluster: 'c' } }] });
    const loaded = await loadKubeconfig('/j', sources({ '/j': text }));
    expect(loaded.contexts.get('j')).toEqual({ cluster: 'c' });
  });

  test.each([
    ['{', 'neither YAML nor JSON'],
    ['a: [', 'neither YAML nor JSON'],
    ['just words', 'no kubeconfig'],
  ])('says what is wrong with %j', async (text, message) => {
    await expect(loadKubeconfig('/x', sources({ '/x': text }))).rejects.toThrow(`/x is ${message}`);
  });

  test('looks for a credential program beside the file only if its path says so', async () => {
    const user = (command: string): string => `{"users":[{"name":"u","user":{"exec":{"command":"${command}"}}}]}`;
    for (const [command, expected] of [
      ['aws', 'aws'],
      ['./bin/aws', '/a/bin/aws'],
      ['/usr/bin/aws', '/usr/bin/aws'],
    ] as const) {
      const { users } = await loadKubeconfig('/a/x', sources({ '/a/x': user(command) }));
      expect(users.get('u')?.exec?.command).toBe(expected);
    }
  });
});

describe('selectContext', () => {
  test('picks another context', async () => {
    const from = sources({ '/x': config('one') });
    const context = await selectContext(await loadKubeconfig('/x', from), 'shared-one', from);
    expect(context).toMatchObject({ name: 'shared-one', cluster: { server: 'https://shared-by-one' } });
    expect(context.namespace).toBeUndefined();
  });

  test('names the contexts there are', async () => {
    const from = sources({ '/x': config('one') });
    const loaded = await loadKubeconfig('/x', from);
    await expect(selectContext(loaded, 'two', from)).rejects.toThrow(
      'There is no context "two": there is one, shared-one',
    );
    await expect(selectContext({ ...loaded, currentContext: undefined }, undefined, from)).rejects.toThrow(
      '/x has no current context: choose one of one, shared-one',
    );
  });

  test('says what a context lacks', async () => {
    const context = (more: object): string =>
      JSON.stringify({ contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }], ...more });
    const from = sources({
      '/a': context({}),
      '/b': context({ clusters: [{ name: 'k', cluster: { server: 'https://k' } }] }),
    });
    await expect(selectContext(await loadKubeconfig('/a', from), 'c', from)).rejects.toThrow(/cluster k.*no server/);
    await expect(selectContext(await loadKubeconfig('/b', from), 'c', from)).rejects.toThrow(/user u.*not there/);
  });

  const account = '/var/run/secrets/kubernetes.io/serviceaccount';
  const pod = { [`${account}/token`]: 't', [`${account}/namespace`]: 'apps\n' };

  test.each([
    ['10.0.0.1', 'https://10.0.0.1:443'],
    ['fd00::1', 'https://[fd00::1]:443'],
  ])('uses the service account of the pod when there is no kubeconfig, at %s', async (host, server) => {
    const from = sources(pod, { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: '443' });
    expect(await selectContext(await loadKubeconfig(undefined, from), undefined, from)).toEqual({
      name: 'in-cluster',
      clusterName: 'in-cluster',
      cluster: { server, 'certificate-authority': `${account}/ca.crt` },
      userName: 'service-account',
      user: { tokenFile: `${account}/token` },
      namespace: 'apps',
    });
  });

  test('says where it looked when there is nothing', async () => {
    await expect(selectContext(await loadKubeconfig(undefined, sources({})), undefined, sources({}))).rejects.toThrow(
      'There is no kubeconfig ($KUBECONFIG, ~/.kube/config), and this is not a pod',
    );
  });
});

describe('a context', () => {
  const context = { name: 'c', clusterName: 'k', userName: 'u', user: {}, cluster: { server: '' } };

  test('has an http or https server', () => {
    expect(serverOf({ ...context, cluster: { server: 'https://k:6443/p' } }).href).toBe('https://k:6443/p');
    expect(serverOf({ ...context, cluster: { server: 'localhost:8080' } }).href).toBe('http://localhost:8080/');
    expect(() => serverOf({ ...context, cluster: { server: 'ftp://k' } })).toThrow('is no http or https address');
  });

  test('gets its certificate authority from a file, unless it carries it', async () => {
    const from = sources({ '/ca': 'PEM' });
    const cluster = { server: 'https://k', 'certificate-authority': '/ca' };
    const data = { 'certificate-authority-data': 'UEVN' };
    expect((await withAuthority({ ...context, cluster }, from)).cluster).toEqual({ ...cluster, ...data });
    const carried = { ...context, cluster: { ...cluster, 'certificate-authority-data': 'b3RoZXI=' } };
    expect(await withAuthority(carried, from)).toBe(carried);
    const missing = { ...context, cluster: { ...cluster, 'certificate-authority': '/gone' } };
    await expect(withAuthority(missing, from)).rejects.toThrow('names /gone, which is not there');
  });
});
