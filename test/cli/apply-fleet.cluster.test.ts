import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../lib/kube/objects.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { manifest, plan } from '../fleet/manifests.ts';
import { cliFor, type CliOptions } from './cluster-cli.ts';
import { mergedKubeconfig } from './fleet-kubeconfig.ts';

const NAMES = ['test', 'eu', 'us'] as const;
type Name = (typeof NAMES)[number];

const planes = {} as Record<Name, ControlPlane>;
let directory: string;
let kubeconfig: string;
let count = 0;
let namespace: string;

beforeAll(async () => {
  const started = NAMES.map(async (name) => {
    planes[name] = await startControlPlane({ name: `fleet-${name}`, scheduler: false, controllerManager: false });
  });
  await Promise.all(started);
  directory = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-fleet-'));
  kubeconfig = join(directory, 'kubeconfig');
  const alice = await planes.us.userKubeconfig('alice');
  const files = { ...Object.fromEntries(NAMES.map((name) => [name, planes[name].kubeconfigPath])), alice };
  await writeFile(kubeconfig, stringify(await mergedKubeconfig(files)));
});

afterAll(async () => {
  await Promise.all(Object.values(planes).map((plane) => plane.stop()));
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

beforeEach(async () => {
  namespace = `fleet-${++count}`;
  await rm(join(directory, 'dist'), { recursive: true, force: true });
});

/** Writes the output of a synth: the same objects for every cluster. */
async function synthesize(
  objects: readonly KubeObject[],
  change: { readonly fleet?: string; readonly clusters?: Readonly<Record<string, object>> } = {},
): Promise<void> {
  const brought = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  for (const name of NAMES) {
    await mkdir(join(directory, 'dist', name), { recursive: true });
    const text = [brought, ...objects].map((object) => stringify(object)).join('---\n');
    await writeFile(join(directory, 'dist', name, 'etl.k8s.yaml'), text);
    await writeFile(join(directory, 'dist', name, 'kustomization.yaml'), 'resources: [etl.k8s.yaml]\n');
  }
  const clusters = Object.fromEntries(
    NAMES.map((name) => [name, { context: name, namespace, enabled: true, ...change.clusters?.[name] }]),
  );
  const placement = { fleet: change.fleet ?? 'acme', clusters, plans: {} };
  await writeFile(join(directory, 'dist/placement.json'), JSON.stringify(placement));
}

const run = (args: readonly string[], options: CliOptions = {}) =>
  cliFor(kubeconfig, '')(args, { cwd: directory, ...options });
const plansOn = async (name: Name) =>
  (await planes[name].kubectl(['get', 'cronjob', '-n', namespace, '-o', 'name'])).stdout.trim().split('\n').join(' ');

const a = plan('a').object;
const b = plan('b', { timeZone: 'Etc/UTC' }).object;
const runner = manifest('ServiceAccount', 'runner').object;

describe('a fleet of three clusters', () => {
  it('is applied, compared, changed and pruned at once', async () => {
    await synthesize([a, b]);
    expect((await run(['apply', '--yes'])).code).toBe(0);
    for (const name of NAMES) expect(await plansOn(name)).toBe('cronjob.batch/a cronjob.batch/b');
    expect(await run(['diff'])).toEqual({
      code: 0,
      stderr: '',
      stdout:
        'test (context test): no differences\n\neu (context eu): no differences\n\nus (context us): no differences\n',
    });
    await synthesize([plan('a', { schedule: '1 * * * *' }).object, runner]);
    await planes.us.kubectl(['delete', 'cronjob', 'b', '-n', namespace]);
    const changed = `~ CronJob ${namespace}/a
    - spec.schedule: "0 0 31 2 *"
    + spec.schedule: "1 * * * *"
`;
    const added = `+ ServiceAccount ${namespace}/runner\n    + metadata.labels[app.kubernetes.io/managed-by]: "cdk8s-workflows"\n`;
    const { code, stdout } = await run(['diff']);
    expect(code).toBe(1);
    const [test, eu, us] = stdout.replaceAll(/ {4}\+ metadata\.labels\[applyset.*\n/g, '').split('\n\n');
    expect(test).toBe(`test (context test)\n${added}${changed}- CronJob ${namespace}/b`);
    expect(eu).toBe(`eu (context eu)\n${added}${changed}- CronJob ${namespace}/b`);
    expect(us).toBe(`us (context us)\n${added}${changed}`);
    const applied = await run(['apply', '--yes']);
    expect(applied.stdout).toContain('✓ test: 1 created, 1 configured, 1 unchanged, 1 pruned\n');
    expect(applied.stdout).toContain('✓ us: 1 created, 1 configured, 1 unchanged\n');
    expect((await run(['diff'])).code).toBe(0);
  });

  it('one cluster that cannot be reached and one that refuses do not stop the third', async () => {
    await synthesize([a, b], { clusters: { eu: { context: 'away' }, us: { context: 'alice' } } });
    await rm(join(directory, '.workflows'), { recursive: true, force: true });
    const applied = await run(['apply', '--yes']);
    expect(applied.code).toBe(1);
    expect(applied.stdout).toContain('✓ test: 3 created\n✗ eu: nothing was applied\n✗ us: nothing was applied\n');
    expect(applied.stdout).toMatch(/error: us: .*ask for a role that lets alice get configmaps/);
    expect(await plansOn('test')).toBe('cronjob.batch/a cronjob.batch/b');
    const { code, stdout } = await run(['diff', 'eu']);
    expect([code, stdout]).toEqual([2, expect.stringContaining('Nothing listens there')]);
  });

  it('asks on a terminal, with what it would do', async () => {
    await synthesize([a]);
    const { code, stderr } = await run(['apply', 'test']);
    expect(code).toBe(2);
    expect(stderr).toContain(
      `test (context test, namespace ${namespace}): 2 to create
  + Namespace ${namespace}
  + CronJob ${namespace}/a
error: Apply? Nobody can answer: give --yes or --dry-run
See cdk8s-workflows apply --help
`,
    );
  });

  it('gives differences as JSON, with all that is wrong', async () => {
    await synthesize([a, plan('bad', { schedule: 'often' }).object]);
    await run(['apply', 'test', '--yes']);
    const { code, stdout } = await run(['diff', 'test', '-o', 'json']);
    const { clusters } = JSON.parse(stdout) as { clusters: { objects: { name: string; action: string }[] }[] };
    expect(code).toBe(2);
    expect(clusters[0]!.objects.map(({ name, action }) => `${action} ${name}`)).toContain('refuse bad');
  });
});

/** What the user did wrong, and what is said. Nothing is written in any of these. */
describe('nothing is applied', () => {
  const user = async (name: string, change: object) => {
    const config = parse(await readFile(kubeconfig, 'utf8')) as {
      clusters: Entry[];
      users: Entry[];
      contexts: Entry[];
    };
    const cluster = config.clusters.find((entry) => entry.name === 'test')!;
    config.clusters.push({
      name,
      cluster: {
        ...(cluster.cluster as object),
        ...('server' in change || 'insecure-skip-tls-verify' in change ? change : {}),
      },
    });
    config.users.push({ name, user: 'token' in change ? change : config.users[0]!.user });
    config.contexts.push({ name, context: { cluster: name, user: name } });
    await writeFile(kubeconfig, stringify(config));
  };
  interface Entry {
    name: string;
    [field: string]: unknown;
  }

  it('where the context leads to another cluster than it did', async () => {
    await synthesize([a]);
    expect((await run(['apply', 'eu', '--yes'])).code).toBe(0);
    await synthesize([a, b], { clusters: { eu: { context: 'us' } } });
    const { code, stdout } = await run(['apply', 'eu', '--yes']);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /error: eu: the context us leads to the cluster \S+, and eu has been \S+; choose the right context/,
    );
    expect(await plansOn('us')).toBe('');
  });

  it('where the context leads to another cluster than the fleet says', async () => {
    await synthesize([a], { clusters: { us: { uid: 'f00d' } } });
    const { code, stdout } = await run(['apply', 'us', '--yes']);
    expect([code, stdout]).toEqual([
      1,
      expect.stringContaining('and us is, as the fleet says, f00d; choose the right context'),
    ]);
  });

  it('where the namespace has the inventory of another cluster', async () => {
    await synthesize([a]);
    await run(['apply', 'test', '--yes']);
    await rm(join(directory, '.workflows'), { recursive: true, force: true });
    await synthesize([a], { clusters: { eu: { context: 'test' } } });
    const { code, stdout } = await run(['apply', 'eu', '--yes']);
    expect(code).toBe(1);
    expect(stdout).toContain('was applied for the cluster "test", and the directory is for the cluster "eu"');
    await rm(join(directory, '.workflows'), { recursive: true, force: true });
  });

  it('where the objects are of another fleet', async () => {
    await synthesize([a]);
    await run(['apply', 'test', '--yes']);
    await synthesize([a], { fleet: 'other' });
    const { code, stdout } = await run(['apply', 'test', '--yes']);
    expect(code).toBe(1);
    expect(stdout).toContain(`CronJob ${namespace}/a (dist/test/etl.k8s.yaml): belongs to the fleet "acme"`);
  });

  it('over a connection that anybody may listen to, unless that is allowed', async () => {
    await user('insecure', {
      'insecure-skip-tls-verify': true,
      'certificate-authority-data': undefined,
      'certificate-authority': undefined,
    });
    await user('plain', { server: 'http://127.0.0.1:1' });
    await synthesize([a], { clusters: { test: { context: 'insecure' }, us: { context: 'plain' } } });
    const { code, stdout } = await run(['apply', '--yes']);
    expect(code).toBe(1);
    expect(stdout).toContain('error: test: The context insecure does not check the certificate of its server');
    expect(stdout).toContain('error: us: The context plain reaches its server without TLS');
    expect((await run(['apply', 'test', '--yes', '--allow-insecure'])).code).toBe(0);
  });

  it('with credentials that are not accepted, nor to a context that there is not', async () => {
    await user('expired', { token: 'old' });
    await synthesize([a], { clusters: { test: { context: 'expired' }, eu: { context: 'nowhere' } } });
    const { code, stdout } = await run(['apply', '--yes']);
    expect(code).toBe(1);
    expect(stdout).toContain(
      'error: test: the credentials of the context are not accepted; log in again, or choose another context',
    );
    expect(stdout).toContain('error: eu: There is no context "nowhere": there is alice, away,');
  });
});
