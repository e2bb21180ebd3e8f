import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubeconfigExec } from '../../lib/kube/kubeconfig.ts';
import { systemSources } from '../../lib/kube/kubeconfig.ts';
import { pods } from '../../lib/kube/resources.ts';
import { makeCertificates, selfSigned, type Certificates, type KeyPair } from '../cluster/certificates.ts';
import { ApiServer, json, status, type Seen } from './api-server.ts';
import { ManualClock } from './manual-clock.ts';

let directory: string;
let certificates: Certificates;
let other: KeyPair;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'credentials-'));
  certificates = await makeCertificates(directory, ['127.0.0.1', 'kubernetes']);
  other = await selfSigned(directory, 'other', '/CN=other');
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const ok = (): Promise<ApiServer> => ApiServer.start((_, response) => json(response, 200, {}));

function authorizations(api: ApiServer): (string | undefined)[] {
  return api.seen.map(({ headers }) => headers.authorization);
}

describe('a user', () => {
  test('has a token, which wins over a password', async () => {
    await using api = await ok();
    await (await api.client({ user: { token: 'secret', username: 'me', password: 'x' } })).get(pods, 'a');
    await (await api.client({ user: { username: 'me', password: 'pä' } })).get(pods, 'a');
    await (await api.client()).get(pods, 'a');
    expect(authorizations(api)).toEqual([
      'Bearer secret',
      `Basic ${Buffer.from('me:pä').toString('base64')}`,
      undefined,
    ]);
  });

  test('acts as somebody else', async () => {
    await using api = await ok();
    const user = {
      token: 't',
      as: 'jane',
      'as-uid': 'u',
      'as-groups': ['devs', 'ops'],
      'as-user-extra': { 'Acme/Team': ['x'] },
    };
    await (await api.client({ user })).get(pods, 'a');
    const raw = api.seen[0]?.rawHeaders ?? [];
    const pairs = raw.flatMap((name, i) => (i % 2 === 0 && name.startsWith('impersonate') ? [[name, raw[i + 1]]] : []));
    expect(pairs).toEqual([
      ['impersonate-user', 'jane'],
      ['impersonate-uid', 'u'],
      ['impersonate-group', 'devs'],
      ['impersonate-group', 'ops'],
      ['impersonate-extra-acme%2Fteam', 'x'],
    ]);
  });

  test('has a token file, which is read again every minute', async () => {
    const tokenFile = join(directory, 'token');
    await writeFile(tokenFile, 'one\n');
    const clock = new ManualClock();
    await using api = await ok();
    const client = await api.client({ user: { tokenFile, token: 'old' }, credentials: { clock } });
    await client.get(pods, 'a');
    await writeFile(tokenFile, 'two\n');
    await client.get(pods, 'a');
    await clock.advance(60_000);
    await client.get(pods, 'a');
    expect(authorizations(api)).toEqual(['Bearer one', 'Bearer one', 'Bearer two']);
  });

  test('has a token file, which is read again when the server refuses the token', async () => {
    const tokenFile = join(directory, 'token');
    await writeFile(tokenFile, 'one');
    await using api = await ApiServer.start(({ headers }, response) =>
      headers.authorization === 'Bearer two' ? json(response, 200, {}) : status(response, 401, 'Unauthorized'),
    );
    const client = await api.client({ user: { tokenFile } });
    await expect(client.get(pods, 'a')).rejects.toMatchObject({ code: 401 });
    await writeFile(tokenFile, 'two');
    await client.get(pods, 'a');
    expect(authorizations(api)).toEqual(['Bearer one', 'Bearer one', 'Bearer one', 'Bearer two']);
  });

  test('asks once with a token that is refused and cannot be renewed', async () => {
    await using api = await ApiServer.start((_, response) => status(response, 401, 'Unauthorized'));
    await expect((await api.client({ user: { token: 't' } })).get(pods, 'a')).rejects.toMatchObject({ code: 401 });
    expect(api.seen.length).toBe(1);
  });

  test('says so when a file is missing', async () => {
    await using api = await ok();
    const client = await api.client({ user: { tokenFile: '/gone' } });
    await expect(client.get(pods, 'a')).rejects.toThrow('The kubeconfig names /gone, which is not there');
  });

  test('logs in by OpenID Connect, as client-node does it', async () => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'none' })}.${part({ exp: 4102444800 })}.x`;
    await using api = await ok();
    await (
      await api.client({ user: { 'auth-provider': { name: 'oidc', config: { 'id-token': token } } } })
    ).get(pods, 'a');
    expect(authorizations(api)).toEqual([`Bearer ${token}`]);
    const without = await api.client({ user: { 'auth-provider': { name: 'oidc', config: {} } } });
    await expect(without.get(pods, 'a')).rejects.toThrow('The auth-provider oidc gave no token');
  });
});

describe('TLS', () => {
  const secure = async (): Promise<ApiServer> => {
    const [cert, key] = [await readFile(certificates.server.certFile), await readFile(certificates.server.keyFile)];
    return ApiServer.start((seen, response) => json(response, 200, { you: commonName(seen) }), {
      cert,
      key,
      requestCert: true,
      rejectUnauthorized: false,
    });
  };
  const commonName = ({ socket }: Seen): string | undefined =>
    String((socket as TLSSocket).getPeerCertificate().subject?.CN ?? 'nobody');

  test('verifies the server and introduces the user', async () => {
    await using api = await secure();
    const cluster = { server: `https://127.0.0.1:${api.port}`, 'certificate-authority': certificates.caFile };
    await expect((await api.client({ cluster })).get(pods, 'a')).resolves.toEqual({ you: 'nobody' });
    const { certFile, keyFile } = certificates.kubeletClient;
    const files = { 'client-certificate': certFile, 'client-key': keyFile };
    const name = 'kube-apiserver-kubelet-client';
    await expect((await api.client({ cluster, user: files })).get(pods, 'a')).resolves.toEqual({ you: name });
    const data = {
      'client-certificate-data': (await readFile(certFile)).toString('base64'),
      'client-key-data': (await readFile(keyFile)).toString('base64'),
    };
    await expect((await api.client({ cluster, user: data })).get(pods, 'a')).resolves.toEqual({ you: name });
  });

  test('opens new connections when the certificate file was renewed', async () => {
    await using api = await secure();
    const clock = new ManualClock();
    const files = {
      'client-certificate': join(directory, 'renewed.crt'),
      'client-key': join(directory, 'renewed.key'),
    };
    const write = async ({ certFile, keyFile }: KeyPair): Promise<void> => {
      await writeFile(files['client-certificate'], await readFile(certFile));
      await writeFile(files['client-key'], await readFile(keyFile));
    };
    await write(certificates.kubeletClient);
    const cluster = { server: `https://127.0.0.1:${api.port}`, 'certificate-authority': certificates.caFile };
    const client = await api.client({ cluster, user: files, credentials: { clock } });
    await expect(client.get(pods, 'a')).resolves.toEqual({ you: 'kube-apiserver-kubelet-client' });
    await write(other);
    await clock.advance(60_000);
    await expect(client.get(pods, 'a')).resolves.toEqual({ you: 'other' });
  });

  test('refuses a server it does not know, once, and says what to check', async () => {
    await using api = await secure();
    const server = `https://127.0.0.1:${api.port}`;
    const error = await (await api.client({ cluster: { server } })).get(pods, 'a').catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'ConnectionError', problem: 'untrusted', maybeSent: false });
    expect(String(error)).toContain("check the context's certificate-authority");
    const unchecked = await api.client({ cluster: { server, 'insecure-skip-tls-verify': true } });
    await expect(unchecked.get(pods, 'a')).resolves.toEqual({ you: 'nobody' });
  });

  test('takes the server by the name the kubeconfig gives', async () => {
    await using api = await secure();
    const cluster = { server: `https://127.0.0.1:${api.port}`, 'certificate-authority': certificates.caFile };
    const named = (name: string) => api.client({ cluster: { ...cluster, 'tls-server-name': name } });
    await expect((await named('kubernetes')).get(pods, 'a')).resolves.toEqual({ you: 'nobody' });
    await expect((await named('elsewhere')).get(pods, 'a')).rejects.toMatchObject({ problem: 'untrusted' });
  });

  test('introduces the user with a certificate that a program printed', async () => {
    await using api = await secure();
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: {
        clientCertificateData: await readFile(other.certFile, 'utf8'),
        clientKeyData: await readFile(other.keyFile, 'utf8'),
      },
    };
    const user = { exec: program(`console.log(${JSON.stringify(JSON.stringify(credential))})`) };
    const cluster = { server: `https://127.0.0.1:${api.port}`, 'certificate-authority': certificates.caFile };
    await expect((await api.client({ cluster, user })).get(pods, 'a')).resolves.toEqual({ you: 'other' });
  });
});

function program(script: string, more: Partial<KubeconfigExec> = {}): KubeconfigExec {
  return {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: process.execPath,
    args: ['-e', script],
    interactiveMode: 'Never',
    ...more,
  };
}

/** Prints a token that counts how often the program ran, and ends after some seconds from the start of the clock. */
function counting(counter: string, expires?: string): KubeconfigExec {
  return program(
    `
    const fs = require('node:fs');
    fs.appendFileSync(process.env.COUNTER, 'x');
    const token = 'run-' + fs.readFileSync(process.env.COUNTER).length;
    const status = { token, expirationTimestamp: process.env.EXPIRES || undefined };
    console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status }));
  `,
    {
      env: [
        { name: 'COUNTER', value: join(directory, counter) },
        { name: 'EXPIRES', value: expires ?? '' },
      ],
    },
  );
}

describe('a credential program', () => {
  test('runs once for many requests, also at the same time', async () => {
    await using api = await ok();
    const client = await api.client({ user: { exec: counting('once') } });
    await Promise.all([client.get(pods, 'a'), client.get(pods, 'b')]);
    await client.get(pods, 'c');
    expect(authorizations(api)).toEqual(['Bearer run-1', 'Bearer run-1', 'Bearer run-1']);
  });

  test('runs again shortly before its credential ends', async () => {
    await using api = await ok();
    const clock = new ManualClock();
    const user = { exec: counting('expiry', new Date(clock.now() + 60_000).toISOString()) };
    const client = await api.client({ user, credentials: { clock } });
    await client.get(pods, 'a');
    await clock.advance(49_000);
    await client.get(pods, 'a');
    await clock.advance(2000);
    await client.get(pods, 'a');
    expect(authorizations(api)).toEqual(['Bearer run-1', 'Bearer run-1', 'Bearer run-2']);
  });

  test('runs again, once, when the server refuses its credential', async () => {
    let good = 'Bearer run-1';
    await using api = await ApiServer.start(({ headers }, response) =>
      headers.authorization === good ? json(response, 200, {}) : status(response, 401, 'Unauthorized'),
    );
    const client = await api.client({ user: { exec: counting('refused') } });
    await client.get(pods, 'a');
    good = 'Bearer run-2';
    await Promise.all([client.get(pods, 'a'), client.get(pods, 'b')]);
    good = 'none';
    await expect(client.get(pods, 'a')).rejects.toMatchObject({ code: 401 });
    expect(authorizations(api).at(-1)).toBe('Bearer run-3');
  });

  test('is told about the cluster if it wants to be', async () => {
    await using api = await ok();
    const exec = program(
      `const info = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
       console.log(JSON.stringify({ ...info, status: { token: Buffer.from(JSON.stringify(info.spec)).toString('hex') } }))`,
      { provideClusterInfo: true },
    );
    const extensions = [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'x' } }];
    await (await api.client({ user: { exec }, cluster: { extensions } })).get(pods, 'a');
    const token = authorizations(api)[0]?.slice('Bearer '.length) ?? '';
    expect(JSON.parse(Buffer.from(token, 'hex').toString())).toEqual({
      interactive: false,
      cluster: { server: `http://127.0.0.1:${api.port}`, config: { audience: 'x' } },
    });
  });

  test.each([
    [{ command: '/gone', installHint: 'Install it.' }, 'Cannot run the credential program /gone. Install it.'],
    [program('console.error("log in first"); process.exit(3)'), 'ended with exit code 3: log in first'],
    [program('console.log("hello")'), 'printed no JSON'],
    [program('console.log("{}")'), 'printed undefined undefined instead of'],
    [
      program('console.log(JSON.stringify({...JSON.parse(process.env.KUBERNETES_EXEC_INFO), status: {}}))'),
      'printed neither a token nor a certificate with its key',
    ],
    [{ interactiveMode: 'Always' as const }, 'must ask somebody, but there is no terminal'],
  ])('that fails says why: %#', async (exec, message) => {
    await using api = await ok();
    const user = { exec: { ...program(''), ...exec } };
    const client = await api.client({ user, credentials: { interactive: false } });
    const error = await client.get(pods, 'a').catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'KubeconfigError', message: expect.stringContaining(message) });
    expect(api.seen).toEqual([]);
  });

  test('sees the environment it is given', async () => {
    await using api = await ok();
    const exec = program(
      'console.log(JSON.stringify({...JSON.parse(process.env.KUBERNETES_EXEC_INFO), status: {token: process.env.FROM_OUTSIDE}}))',
    );
    const sources = { ...systemSources, env: { ...process.env, FROM_OUTSIDE: 'yes' } };
    await (await api.client({ user: { exec }, credentials: { sources } })).get(pods, 'a');
    expect(authorizations(api)).toEqual(['Bearer yes']);
  });
});
