import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Api } from './api.ts';
import { eventually } from './eventually.ts';
import { busyboxImage, nodeImage } from './images.ts';
import { canStartNode, type NodeCluster, startNode } from './node.ts';
import type { Pod } from './pod.ts';
import { run } from './run.ts';

const pods = '/api/v1/namespaces/default/pods';
const busybox = 'busybox:1.36';
const node = 'cdk8s-workflows.dev/node:test';

function pod(name: string, image: string, container: object, spec: object = {}): object {
  const containers = [{ name: 'main', image, imagePullPolicy: 'Never', ...container }];
  const metadata = { name, labels: { app: name } };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { restartPolicy: 'Never', containers, ...spec } };
}

describe.skipIf(!canStartNode)('a real node', () => {
  let cluster: NodeCluster;
  let api: Api;
  const ended = (name: string): Promise<Pod> =>
    eventually(async () => {
      const found = await api.get<Pod>(`${pods}/${name}`);
      expect(['Succeeded', 'Failed']).toContain(found.status?.phase);
      return found;
    }, 60_000);

  beforeAll(async () => {
    cluster = await startNode();
    await cluster.importImage(await busyboxImage(busybox));
    api = await Api.connect(cluster.kubeconfigPath);
  });
  afterAll(async () => {
    await api?.close();
    await cluster?.stop();
  });

  it('runs a Job of one busybox container to Complete, and shows its log', async () => {
    await cluster.kubectl(['create', 'job', 'hello', `--image=${busybox}`, '--', 'sh', '-c', 'echo hello; id -u']);
    const result = await cluster.kubectl(['wait', '--for=condition=complete', 'job/hello', '--timeout=60s']);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect((await cluster.kubectl(['logs', 'job/hello'])).stdout).toBe('hello\n0\n');
  });

  it('keeps the last 4096 bytes of a termination message, as the simulated node does', async () => {
    const script = 'printf begin > $0; head -c 5000 /dev/zero | tr "\\0" x >> $0; printf end >> $0; exit 3';
    await api.create(pods, pod('message', busybox, { command: ['sh', '-c', script, '/dev/termination-log'] }));
    const { status } = await ended('message');
    const end = status?.containerStatuses?.[0]?.state.terminated;
    expect(end).toMatchObject({ exitCode: 3, reason: 'Error' });
    expect(end?.message).toBe('x'.repeat(4093) + 'end');
  });

  it('ends a pod whose deadline is set while it runs', async () => {
    await api.create(pods, pod('late', busybox, { command: ['sleep', '600'] }, { terminationGracePeriodSeconds: 1 }));
    await eventually(async () => expect((await api.get<Pod>(`${pods}/late`)).status?.phase).toBe('Running'));
    await api.patch(`${pods}/late`, { spec: { activeDeadlineSeconds: 1 } });
    expect((await ended('late')).status?.reason).toBe('DeadlineExceeded');
  });

  it('lets a pod with our Node reach the API server through its service account, as a plain user', async () => {
    await cluster.importImage(await nodeImage(node, { '/app/question.ts': `${import.meta.dirname}/question.ts` }));
    const env = [{ name: 'NODE_EXTRA_CA_CERTS', value: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt' }];
    const security = { runAsNonRoot: true, allowPrivilegeEscalation: false };
    const container = { args: ['/app/question.ts'], env, securityContext: security };
    await api.create(pods, pod('question', node, container));
    const { status } = await ended('question');
    const { stdout } = await cluster.kubectl(['logs', 'question']);
    expect(JSON.parse(stdout)).toEqual({ uid: 65532, user: 'system:serviceaccount:default:default' });
    expect(status?.phase).toBe('Succeeded');
  });

  it('lets a pod reach a server of this process, and this process a Service', async () => {
    const server = createServer((_request, response) => response.end('from outside'));
    await new Promise<void>((resolve) => server.listen(0, cluster.hostAddress, resolve));
    try {
      const url = `http://${cluster.hostAddress}:${(server.address() as AddressInfo).port}/`;
      const script = `mkdir /www; wget -q -O /www/index.html ${url} && httpd -f -p 8080 -h /www`;
      await api.create(
        pods,
        pod('web', busybox, { command: ['sh', '-c', script] }, { terminationGracePeriodSeconds: 0 }),
      );
      await cluster.kubectl(['expose', 'pod', 'web', '--port=80', '--target-port=8080']);
      const { spec } = await api.get<{ spec: { clusterIP: string } }>('/api/v1/namespaces/default/services/web');
      const page = await eventually(async () => (await fetch(`http://${spec.clusterIP}/`)).text(), 30_000);
      expect(page).toBe('from outside');
    } finally {
      server.close();
    }
  });

  it('runs a command on the node', async () => {
    expect(await cluster.exec('ctr', '--namespace=k8s.io', 'images', 'list', '--quiet')).toContain(busybox);
  });
});

describe.skipIf(!canStartNode)('two real nodes', () => {
  it('run side by side and leave nothing behind', async () => {
    const clusters = await Promise.all([startNode({ name: 'left' }), startNode({ name: 'right' })]);
    try {
      const image = await busyboxImage(busybox);
      for (const cluster of clusters) {
        await cluster.importImage(image);
        await cluster.kubectl(['create', 'deployment', 'sleeper', `--image=${busybox}`, '--', 'sleep', '600']);
      }
      for (const { kubectl } of clusters) {
        const available = ['wait', '--for=condition=available', 'deployment/sleeper', '--timeout=60s'];
        expect(await kubectl(available)).toMatchObject({ code: 0 });
      }
      for (const cluster of clusters) expect(await traces(cluster)).not.toEqual([]);
    } finally {
      await Promise.all(clusters.map((cluster) => cluster.stop()));
    }
    for (const cluster of clusters) expect(await traces(cluster)).toEqual([]);
  });
});

/** Processes, mounts, links, routes, cgroups and files of this machine that belong to a cluster. */
async function traces({ directory, address }: NodeCluster): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const commands = ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => ''));
  const network = ['address', 'route'].map((what) => run('ip', what));
  const files = ['/sys/fs/cgroup', tmpdir()].map((root) =>
    run('find', root, '-maxdepth', '2', '-name', basename(directory)),
  );
  const texts = await Promise.all([...commands, ...network, ...files, readFile('/proc/mounts', 'utf8')]);
  const names = [basename(directory), address.replace(/\d+$/, '')];
  return texts.flatMap((text) => text.split('\n')).filter((line) => names.some((name) => line.includes(name)));
}
