import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createLogger } from '../../../lib/controller/log.ts';
import { noMetrics } from '../../../lib/controller/metrics.ts';
import { openTrigger } from '../../../lib/controller/trigger/open-trigger.ts';
import { ServerCertificate } from '../../../lib/controller/trigger/server-certificate.ts';
import { controllerRules, leaderElectionRules, triggerRules } from '../../../lib/graph/permissions.ts';
import { planRules, TRIGGER_AUDIENCE } from '../../../lib/graph/plan-permissions.ts';
import { KubeClient } from '../../../lib/kube/client.ts';
import type { NewObject } from '../../../lib/kube/objects.ts';
import {
  clusterRoleBindings,
  clusterRoles,
  jobs,
  roleBindings,
  roles,
  serviceAccounts,
  type Resource,
} from '../../../lib/kube/resources.ts';
import { startSampleCluster, type SampleCluster } from '../../cli/sample-cluster.ts';
import { selfSigned } from '../../cluster/certificates.ts';
import { eventually } from '../../cluster/eventually.ts';
import { freePort } from '../../cluster/ports.ts';
import { FaultProxy } from '../../fleet/fault-proxy.ts';
import { Child } from '../child.ts';
import type { Bench } from '../support.ts';

let sample: SampleCluster;
let bench: Bench;
let kubeconfig: string;
let directory: string;

const rbac = 'rbac.authorization.k8s.io';

async function allow(kind: 'ClusterRole' | 'Role', name: string, rules: readonly object[], subject: object) {
  const [role, binding]: [Resource, Resource] =
    kind === 'Role' ? [roles, roleBindings] : [clusterRoles, clusterRoleBindings];
  const metadata = { name };
  await bench.client.create(role, { apiVersion: `${rbac}/v1`, kind, metadata, rules } as NewObject);
  const roleRef = { apiGroup: rbac, kind, name };
  const bound = { apiVersion: `${rbac}/v1`, kind: `${kind}Binding`, metadata, roleRef, subjects: [subject] };
  await bench.client.create(binding, bound as NewObject);
}

/** A service account that may launch these plans. */
async function account(name: string, plans: readonly string[]): Promise<void> {
  await bench.client.create(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });
  const subject = { kind: 'ServiceAccount', name, namespace: bench.namespace };
  if (plans.length > 0) await allow('Role', name, planRules('trigger', { names: plans, ofGroup: false }), subject);
}

const token = (name: string, audience = TRIGGER_AUDIENCE) => bench.token(name, audience);

/** A trigger in this process, with the permissions that are synthesized, and no others. */
async function trigger({ through = kubeconfig, requestsPerSecond = 1_000 } = {}): Promise<{
  launch: (plan: string, init: { token?: string; headers?: object; body?: unknown }) => Promise<Answer>;
  statuses: number[];
  port: number;
}> {
  const client = await KubeClient.fromKubeconfig({
    kubeconfig: through,
    namespace: bench.namespace,
    retry: { maxElapsedMs: 1_000 },
  });
  const log = await createLogger({ level: 'warn', format: 'text', write: () => {} });
  const statuses: number[] = [];
  const metrics = { ...noMetrics, triggered: (status: number) => void statuses.push(status) };
  const port = await freePort();
  const settings = { port, audience: TRIGGER_AUDIENCE, requestsPerSecond };
  const server = await openTrigger(settings, { client, log, metrics, namespaces: [bench.namespace] });
  onTestFinished(async () => {
    await server[Symbol.asyncDispose]();
    await client.close();
  });
  return { statuses, port, launch: (plan, init) => post(`http://127.0.0.1:${port}`, plan, init) };
}

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

async function post(
  server: string,
  plan: string,
  { token: given, headers = {}, body }: { token?: string; headers?: object; body?: unknown },
): Promise<Answer> {
  const response = await fetch(`${server}/v1/namespaces/${bench.namespace}/plans/${plan}/runs`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(given !== undefined && { authorization: `Bearer ${given}` }),
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body ?? {}),
  });
  const type = response.headers.get('content-type');
  return { status: response.status, type, headers: response.headers, body: JSON.parse(await response.text()) as never };
}

beforeAll(async () => {
  sample = await startSampleCluster('trigger');
  ({ bench } = sample);
  directory = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-trigger-'));
  const alice = { apiGroup: rbac, kind: 'User', name: 'alice' };
  await allow('ClusterRole', 'controller', [...controllerRules, ...leaderElectionRules, ...triggerRules], alice);
  kubeconfig = await sample.cluster.userKubeconfig('alice');
  await account('caller', ['etl-site-a', 'gone']);
  await account('nobody', []);
});

afterAll(async () => {
  await sample?.stop();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

describe('the trigger', () => {
  it('launches a plan once for each key, for a caller who may', async () => {
    const { launch, statuses } = await trigger();
    const caller = await token('caller');
    const request = { token: caller, headers: { 'idempotency-key': '"monday"' }, body: { day: '1' } };
    const first = await launch('etl-site-a', request);
    expect(first).toMatchObject({
      status: 201,
      type: 'application/json',
      body: { namespace: bench.namespace, plan: 'etl-site-a', created: true },
    });
    const again = await launch('etl-site-a', request);
    expect([again.status, again.body.run]).toEqual([200, first.body.run]);
    const other = await launch('etl-site-a', { ...request, body: { day: '2' } });
    expect(other).toMatchObject({ status: 409, type: 'application/problem+json', body: { title: 'Conflict' } });
    const { metadata } = await bench.client.get(jobs, first.body.run as string);
    expect(metadata.annotations).toMatchObject({
      'cdk8s-workflows.dev/inputs': '{"day":"1","site":"site-a"}',
      'cdk8s-workflows.dev/launched-by': `system:serviceaccount:${bench.namespace}:caller`,
    });
    expect(statuses).toEqual([201, 200, 409]);
  });

  it('takes events in both modes, and one event for one event', async () => {
    const { launch } = await trigger();
    const caller = await token('caller');
    const event = { specversion: '1.0', id: 'e1', source: '/store', type: 'acme.written' };
    const structured = await launch('etl-site-a', {
      token: caller,
      headers: { 'content-type': 'application/cloudevents+json' },
      body: { ...event, data: { day: '3' } },
    });
    const names = Object.entries(event).map(([name, value]) => [`ce-${name}`, value]);
    const headers = Object.fromEntries(names) as object;
    const binary = await launch('etl-site-a', { token: caller, headers, body: { day: '3' } });
    expect([structured.status, binary.status, binary.body.run]).toEqual([201, 200, structured.body.run]);
  });

  it('says everything that is wrong with the inputs, and starts nothing', async () => {
    const { launch } = await trigger();
    const before = (await bench.client.list(jobs)).items.length;
    const answer = await launch('etl-site-a', {
      token: await token('caller'),
      body: { site: 'b', dya: '1', limit: 'many' },
    });
    expect(answer).toMatchObject({
      status: 422,
      type: 'application/problem+json',
      body: {
        title: 'Unprocessable Entity',
        errors: [
          { path: 'inputs.site', message: 'is fixed to "site-a" by the plan' },
          { path: 'inputs.dya', fix: 'did you mean "day"?' },
          { path: 'inputs.day', message: 'is missing' },
          { path: 'inputs.limit' },
        ],
      },
    });
    expect((await bench.client.list(jobs)).items).toHaveLength(before);
  });

  it('refuses who has no token, one for somebody else, or no permission for this plan', async () => {
    const { launch } = await trigger();
    const [caller, nobody, elsewhere] = await Promise.all([
      token('caller'),
      token('nobody'),
      token('caller', 'https://kubernetes.default.svc'),
    ]);
    const statuses = async (plan: string, ...tokens: (string | undefined)[]) => {
      const answers = await Promise.all(tokens.map((each) => launch(plan, { token: each, body: { day: '1' } })));
      expect(answers.every(({ type }) => type === 'application/problem+json')).toBe(true);
      return answers.map(({ status }) => status);
    };
    expect(await statuses('etl-site-a', undefined, 'wrong', elsewhere, nobody)).toEqual([401, 401, 401, 403]);
    // Whether a plan exists is told to those who may launch it.
    expect(await statuses('slow', caller)).toEqual([403]);
    expect(await statuses('none', caller)).toEqual([403]);
    expect(await statuses('gone', caller)).toEqual([404]);
    const { headers } = await launch('etl-site-a', { token: 'wrong' });
    expect(headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
  });

  it('limits what is sent and how often', async () => {
    const { launch } = await trigger({ requestsPerSecond: 1 });
    const caller = await token('caller');
    const large = await launch('etl-site-a', { token: caller, body: { day: 'x'.repeat(200_000) } });
    expect([large.status, large.type]).toEqual([413, 'application/problem+json']);
    const text = await launch('etl-site-a', { token: caller, headers: { 'content-type': 'text/plain' }, body: 'a' });
    expect(text.status).toBe(415);
    const many = await Promise.all(Array.from({ length: 60 }, () => launch('gone', { token: caller })));
    const refused = many.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(10);
    expect(refused[0]!.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  });

  it.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['headers that are too large', `POST / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, 431],
    ['a request that does not end', 'POST / HTTP/1.1\r\nHost: a\r\n', 408],
  ])('answers what it could not read as everything else: %s', async (_, sent, status) => {
    const { port, statuses } = await trigger();
    const socket = connect(port, '127.0.0.1');
    socket.write(sent);
    const [head, body] = (await text(socket)).split('\r\n\r\n');
    expect(head).toContain(`HTTP/1.1 ${status} `);
    expect(head).toContain('Content-Type: application/problem+json');
    expect(JSON.parse(body!)).toMatchObject({ type: 'about:blank', status });
    expect(statuses).toEqual([status]);
  });

  it('says that the cluster does not answer, and not why', async () => {
    await using proxy = await FaultProxy.start(sample.cluster, join(directory, 'proxy'));
    const { launch } = await trigger({ through: proxy.kubeconfig });
    const caller = await token('caller');
    proxy.begin({ fault: () => 'reset' });
    const answer = await launch('etl-site-a', { token: caller, body: { day: '1' } });
    expect(answer).toMatchObject({ status: 503, type: 'application/problem+json' });
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(JSON.stringify(answer.body)).not.toMatch(/127\.0\.0\.1|Error|\.ts/);
  });

  it('is served by every replica of a controller, by TLS, and one run comes of one key', async () => {
    const pair = await selfSigned(directory, 'trigger', '/CN=trigger');
    const ports = [await freePort(), await freePort()];
    const replicas = ports.map((port) => {
      const tls = [`--trigger-tls-cert=${pair.certFile}`, `--trigger-tls-key=${pair.keyFile}`];
      const args = ['--kubeconfig', kubeconfig, '-n', bench.namespace, '--lease-namespace', bench.namespace];
      const child = new Child(['controller', ...args, `--trigger-port=${port}`, ...tls], {});
      onTestFinished(async () => void (await child.end('SIGKILL')));
      return child;
    });
    await eventually(() => {
      for (const { log } of replicas) expect(log.some(({ message }) => message === 'The trigger listens')).toBe(true);
    }, 60_000);
    const caller = await token('caller');
    const post = async (port: number) => {
      const request = secureRequest(
        `https://127.0.0.1:${port}/v1/namespaces/${bench.namespace}/plans/etl-site-a/runs`,
        {
          method: 'POST',
          rejectUnauthorized: false,
          headers: {
            authorization: `Bearer ${caller}`,
            'content-type': 'application/json',
            'idempotency-key': 'both',
          },
        },
      );
      request.end('{"day":"5"}');
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      return { status: response.statusCode, body: JSON.parse(await text(response)) as { run: string } };
    };
    const answers = await Promise.all(ports.map(post));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 201]);
    expect(answers[0]!.body.run).toBe(answers[1]!.body.run);
    await bench.finished(answers[0]!.body.run, 60_000);
    expect(await Promise.all(replicas.map((child) => child.end('SIGTERM')))).toEqual([0, 0]);
  });
});

describe('the certificate of the trigger', () => {
  it('is renewed with its files, once both belong together', async () => {
    const [first, second] = await Promise.all(
      ['first', 'second'].map((name) => selfSigned(directory, name, `/CN=${name}`)),
    );
    const files = { cert: join(directory, 'tls.crt'), key: join(directory, 'tls.key') };
    const put = async (from: string, to: string) => writeFile(to, await readFile(from));
    await Promise.all([put(first!.certFile, files.cert), put(first!.keyFile, files.key)]);
    const log = await createLogger({ level: 'error', format: 'text' });
    using certificate = await ServerCertificate.read(files, log);
    const seen: string[] = [];
    certificate.onChange(({ cert }) => seen.push(new X509Certificate(cert).subject));
    await certificate.reread();
    await put(second!.certFile, files.cert);
    await certificate.reread();
    expect(seen).toEqual([]);
    await put(second!.keyFile, files.key);
    await certificate.reread();
    expect(seen).toEqual(['CN=second']);
  });
});
