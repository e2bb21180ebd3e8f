import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CheckResult } from '../../lib/fleet/preflight/check-result.ts';
import { runController } from '../../lib/controller/controller-process.ts';
import { CONTROLLER_LEASE } from '../../lib/fleet/preflight/controller-lease.ts';
import type { KubeObject } from '../../lib/kube/objects.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { writeFleetConfig } from '../cluster/kubeconfig.ts';
import { cronJob, workflow, type TestStep } from '../controller/support.ts';
import { cliFor, steady } from './cluster-cli.ts';

let test: ControlPlane;
let prod: ControlPlane;
let directory: string;
let kubeconfig: string;

beforeAll(async () => {
  [test, prod] = await Promise.all([
    // Its nodes have one GPU each.
    startControlPlane({
      name: 'check-test',
      scheduler: false,
      nodes: {
        count: 2,
        labels: { gpu: 'v100' },
        taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }],
        allocatable: { cpu: '16', memory: '64Gi', pods: '110', 'nvidia.com/gpu': '1' },
      },
    }),
    startControlPlane({ name: 'check-prod', scheduler: false, controllerManager: false, nodes: 1 }),
  ]);
  directory = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-check-'));
  kubeconfig = join(directory, 'kubeconfig');
  await writeFleetConfig(kubeconfig, {
    test: test.kubeconfigPath,
    prod: prod.kubeconfigPath,
    alice: await test.userKubeconfig('alice'),
    away: 'https://127.0.0.1:1',
  });
});

afterAll(async () => {
  await Promise.all([test?.stop(), prod?.stop()]);
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

type Contexts = Readonly<Record<string, { readonly context: string; readonly namespace?: string }>>;

/** Writes what synth would: the same objects for every cluster. */
async function synthesized(contexts: Contexts, ...objects: readonly object[]): Promise<void> {
  await rm(join(directory, 'dist'), { recursive: true, force: true });
  for (const name of Object.keys(contexts)) {
    await mkdir(join(directory, 'dist', name), { recursive: true });
    const text = objects.map((object) => stringify(object)).join('---\n');
    await writeFile(join(directory, 'dist', name, 'app.k8s.yaml'), text);
  }
  await writeFile(join(directory, 'dist/placement.json'), JSON.stringify({ clusters: contexts, plans: {} }));
}

/** A plan of a workflow with its objects, which fires by itself. */
function planned(name: string, ...steps: readonly TestStep[]): readonly object[] {
  const of = workflow(name, steps);
  const plan = cronJob(of, `${name}-plan`) as KubeObject & { spec: object };
  return [...of.manifests, { ...plan, spec: { ...plan.spec, suspend: false } }];
}

const pod = (requests: object, spec: object = {}): Partial<TestStep> => ({
  spec: { containers: [{ name: 'main', image: 'a', resources: { requests } }], ...spec } as never,
});
const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
const controller = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: CONTROLLER_LEASE },
  spec: {
    selector: { matchLabels: { app: 'controller' } },
    template: {
      metadata: { labels: { app: 'controller' } },
      spec: { containers: [{ name: 'controller', image: 'x' }] },
    },
  },
};

const check = (...args: string[]) => cliFor(kubeconfig, '')(['check', ...args], { cwd: directory });

/** The checks of each cluster, by `-o json`. */
async function results(...args: string[]): Promise<Record<string, readonly CheckResult[]>> {
  const { stdout } = await check('-o', 'json', ...args);
  const { clusters } = JSON.parse(stdout) as { clusters: { cluster: string; checks: CheckResult[] }[] };
  return Object.fromEntries(clusters.map(({ cluster, checks }) => [cluster, checks]));
}

/** One check of one cluster, with its sentences. */
async function only(cluster: string, name: string): Promise<readonly string[]> {
  const { state, findings } = (await results(cluster))[cluster]!.find(({ check: of }) => of === name)!;
  return [state, ...findings.map(({ state: of, message }) => `${of}: ${message}`)];
}

const both: Contexts = { test: { context: 'test', namespace: 'etl' }, prod: { context: 'prod', namespace: 'etl' } };
const tolerant = { tolerations: [{ key: 'gpu', operator: 'Exists' }] };

describe('check of a fleet', () => {
  it('is well where everything is, in one table and as JSON, and writes nothing', async () => {
    await synthesized(
      both,
      namespace('etl'),
      controller,
      ...planned('etl', { name: 'a', ...pod({ cpu: '1' }, tolerant) }),
    );
    const { code, stdout, stderr } = await check();
    expect(steady(stdout).replace(/[0-9a-f]{8} as/g, '<uid> as')).toBe(`CHECK test prod
reachable ✓ ready ✓ ready
version ✓ v1.34.4 ✓ v1.34.4
identity ✓ <uid> as admin ✓ <uid> as admin
controller ✓ in the manifests ✓ in the manifests
permissions ✓ 20 of 20 ✓ 20 of 20
namespaces ✓ etl (some come with the manifests) ✓ etl (some come with the manifests)
quota ✓ no quota ✓ no quota
nodes ✓ 2 nodes ✓ 1 node
admission ✓ 5 of 5 ✓ 5 of 5

✓ test: all is well
✓ prod: all is well
`);
    expect([code, stderr]).toEqual([0, '']);
    expect(Object.keys(await results())).toEqual(['test', 'prod']);
    expect((await test.kubectl(['get', 'namespace', 'etl'])).code).toBe(1);
  });

  it('tells everything that is not well, cluster by cluster', async () => {
    const clusters = { ...both, away: { context: 'away' }, none: { context: 'nowhere' } };
    await synthesized(clusters, ...planned('etl', { name: 'a' }));
    const { code, stdout } = await check();
    expect(code).toBe(1);
    const report = steady(stdout);
    expect(report).toContain(
      'error: test, namespaces: the namespace etl does not exist; kubectl create namespace etl\n',
    );
    expect(report).toContain('error: prod, controller: no controller was seen');
    expect(report).toMatch(/error: away, reachable: .*Nothing listens there/);
    expect(report).toContain(
      'error: none, reachable: There is no context "nowhere": there is alice, away, prod, test\n',
    );
    expect(report).toContain('✗ away: 1 of 9 checks failed\n');
  });

  it('finds that two names lead to one place', async () => {
    await synthesized(
      { a: { context: 'test', namespace: 'etl' }, b: { context: 'test', namespace: 'etl' } },
      namespace('etl'),
    );
    expect(await only('a', 'identity')).toEqual(['ok']);
    const { a, b } = await results();
    expect([a, b].map((checks) => checks!.find(({ check: of }) => of === 'identity')!.state)).toEqual([
      'failed',
      'failed',
    ]);
  });

  it('exits with 2 when there is nothing to check', async () => {
    await synthesized(both, namespace('etl'));
    expect((await check('pord')).code).toBe(2);
    expect((await check('--skip', 'node')).stderr).toContain('did you mean "nodes"?');
  });

  it('does not wait for ever for a server that hangs, nor let the others wait', async () => {
    await synthesized(both, namespace('etl'));
    prod.pauseApiServer();
    try {
      const { test: fine, prod: hangs } = await results();
      expect(fine!.every(({ state }) => state === 'ok')).toBe(true);
      expect(hangs![0]!.findings[0]!.message).toContain('It took too long');
      expect(hangs!.slice(1).every(({ state }) => state === 'skipped')).toBe(true);
    } finally {
      prod.resumeApiServer();
    }
  });
});

describe('the checks of a cluster', () => {
  beforeAll(async () => {
    await test.kubectl(['create', 'namespace', 'etl']);
    const rules = ['cronjobs', 'configmaps', 'podtemplates'].map((resource) => `--resource=${resource}`);
    await test.kubectl(['create', 'role', 'writer', '-n', 'etl', '--verb=get,list,create,patch', ...rules]);
    await test.kubectl(['create', 'rolebinding', 'writer', '-n', 'etl', '--role=writer', '--user=alice']);
    const named = ['--verb=patch', '--resource=secrets', '--resource-name=key'];
    await test.kubectl(['create', 'role', 'named', '-n', 'etl', ...named]);
    await test.kubectl(['create', 'rolebinding', 'named', '-n', 'etl', '--role=named', '--user=alice']);
  });
  beforeEach(() => synthesized(both));

  const mine: Contexts = { test: { context: 'alice', namespace: 'etl' } };

  it('ask whether everything is allowed that an apply does', async () => {
    await synthesized(mine, ...planned('etl', { name: 'a' }));
    expect(await only('test', 'permissions')).toEqual(['ok']);
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'runner' } };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' } };
    await synthesized(mine, ...planned('etl', { name: 'a' }), account, secret, namespace('other'));
    const denied = await only('test', 'permissions');
    expect(denied[0]).toBe('failed');
    expect([...denied].sort()).toEqual(
      [
        'failed',
        'failed: may not create, patch namespaces',
        'failed: may not create, patch secrets in namespace etl',
        'failed: may not create, patch serviceaccounts in namespace etl',
        'warning: may not get, list namespaces: what is there already is not known',
        'warning: may not get, list secrets in namespace etl: what is there already is not known',
        'warning: may not get, list serviceaccounts in namespace etl: what is there already is not known',
      ].sort(),
    );
    expect(await only('test', 'admission')).toEqual(['skipped']);
  });

  it('say what they could not look at', async () => {
    await synthesized(mine, ...planned('etl', { name: 'a' }));
    expect(await only('test', 'nodes')).toEqual(['warning', 'warning: nodes may not be read']);
    expect(await only('test', 'quota')).toEqual(['warning', 'warning: the quotas of namespace etl may not be read']);
    expect((await only('test', 'controller'))[0]).toBe('warning');
    expect((await check('test')).code).toBe(0);
    expect((await check('test', '--strict')).code).toBe(1);
    expect((await check('test', '--strict', '--skip', 'nodes', '--skip', 'quota', '--skip', 'controller')).code).toBe(
      0,
    );
  });

  it('find steps that no node can hold', async () => {
    const gpu = { limits: { 'nvidia.com/gpu': '2' } };
    const two = { containers: [{ name: 'main', image: 'a', resources: gpu }], ...tolerant } as never;
    await synthesized(
      both,
      ...planned(
        'train',
        { name: 'fits', ...pod({ cpu: '4' }, { ...tolerant, nodeSelector: { gpu: 'v100' } }) },
        { name: 'elsewhere', ...pod({ cpu: '4' }, { ...tolerant, nodeSelector: { gpu: 'a100' } }) },
        { name: 'intolerant', ...pod({ cpu: '4' }) },
        { name: 'two', spec: two },
      ),
    );
    expect(await only('test', 'nodes')).toEqual([
      'failed',
      'failed: no node can hold train/elsewhere (train-plan): the nearest is sim-0 and 1 more (has gpu=v100, not a100)',
      'failed: no node can hold train/intolerant (train-plan): the nearest is sim-0 and 1 more (has the taint gpu=yes:NoSchedule, which is not tolerated)',
      'failed: no node can hold train/two (train-plan): the nearest is sim-0 and 1 more (has 1 of 2 nvidia.com/gpu)',
    ]);
  });

  it('compare what is left of quotas with what plans may ask for', async () => {
    const hard = { 'requests.cpu': '6', pods: '10' };
    await test.kubectl(['create', 'namespace', 'small']);
    await test.kubectl([
      'create',
      'quota',
      'team',
      '-n',
      'small',
      `--hard=requests.cpu=${hard['requests.cpu']},pods=10`,
    ]);
    await test.kubectl([
      'run',
      'other',
      '-n',
      'small',
      '--image=x',
      '--overrides',
      JSON.stringify({ spec: { containers: [{ name: 'other', image: 'x', resources: { requests: { cpu: '2' } } }] } }),
    ]);
    const small: Contexts = { test: { context: 'test', namespace: 'small' } };
    const steps = [1, 2, 3].map((number) => ({ name: `s${number}`, ...pod({ cpu: String(number) }, tolerant) }));
    await synthesized(small, ...planned('etl', ...steps));
    await eventually(async () => {
      expect(await only('test', 'quota')).toEqual([
        'warning',
        'warning: the plans may ask for 6 of requests.cpu at once (etl-plan 6), and the quota team of namespace small has 4 of 6 left: what does not fit waits',
      ]);
    });
    await synthesized(small, ...planned('etl', { name: 'large', ...pod({ cpu: '7' }, tolerant) }, { name: 'silent' }));
    expect((await only('test', 'quota')).slice(0, 3)).toEqual([
      'failed',
      'failed: etl/silent states no requests.cpu, without which the quota team of namespace small lets no pod in',
      'failed: etl/large asks for 7 of requests.cpu, and the quota team of namespace small has 6 in all: it can never start',
    ]);
    const limits = {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'defaults', namespace: 'small' },
      spec: { limits: [{ type: 'Container', defaultRequest: { cpu: '1' } }] },
    };
    await test.kubectl(['apply', '-f', '-'], { input: stringify(limits) });
    expect((await only('test', 'quota')).join()).not.toContain('silent');
  });

  it('let the server look at every object, and tell which is refused', async () => {
    const [template, graph, plan] = planned('etl', { name: 'a' }) as [
      KubeObject,
      KubeObject,
      KubeObject & { spec: object },
    ];
    await synthesized(
      both,
      template,
      graph,
      { ...plan, spec: { ...plan.spec, schedule: 'often' } },
      { apiVersion: 'acme.dev/v1', kind: 'Widget', metadata: { name: 'w' } },
    );
    const [state, ...messages] = await only('test', 'admission');
    expect(state).toBe('failed');
    expect(messages.sort()).toEqual([
      expect.stringMatching(
        /^failed: CronJob etl\/etl-plan \(dist\/test\/app.k8s.yaml\): spec.schedule: Invalid value: "often"/,
      ),
      'failed: Widget w (dist/test/app.k8s.yaml): the cluster has no kind Widget in acme.dev/v1',
    ]);
  });

  it('come before an apply, which writes nothing where it may not, and tells what will not run', async () => {
    const apply = () => cliFor(kubeconfig, '')(['apply', '--yes'], { cwd: directory });
    const account = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'runner' },
      automountServiceAccountToken: true,
    };
    const theirs = { test: { context: 'alice', namespace: 'etl' }, prod: { context: 'prod', namespace: 'etl' } };
    await synthesized(
      theirs,
      ...planned('before', { name: 'a', sim: { 'run-ms': '1' }, ...pod({ cpu: '100k' }) }),
      account,
    );
    await prod.kubectl(['create', 'namespace', 'etl']);
    const { code, stdout, stderr } = await apply();
    expect(code).toBe(1);
    expect(stdout).toContain(
      'error: test: may not create, patch serviceaccounts in namespace etl; ask for a role that allows it\n',
    );
    expect(stdout).toContain('✗ test: nothing was applied\n');
    expect(stdout).toContain('✓ prod: 4 created\n');
    expect(stderr).toContain(
      'warning: prod, nodes: no node can hold before/a (before-plan): the nearest is sim-0 (has ',
    );
    expect(stderr).toContain('warning: prod, controller: no controller was seen');
    const { stdout: written } = await test.kubectl(['get', 'cronjob', '-n', 'etl', '-o', 'name']);
    expect(written).not.toContain('before-plan');
    // Nothing is told where nothing is written.
    const again = await apply();
    expect(again.stdout).toContain('prod: 4 unchanged');
    expect(again.stderr).toBe('');
  });

  it('notice that a context leads to another cluster than before', async () => {
    await synthesized(both, ...planned('etl', { name: 'a' }));
    expect(await cliFor(kubeconfig, '')(['apply', 'prod', '--yes'], { cwd: directory })).toMatchObject({ code: 0 });
    expect(await only('prod', 'identity')).toEqual(['ok']);
    await synthesized({ prod: { context: 'test', namespace: 'etl' } }, ...planned('etl', { name: 'a' }));
    expect(await only('prod', 'identity')).toEqual([
      'failed',
      expect.stringMatching(/^failed: the context test leads to the cluster [0-9a-f-]{36}, not to [0-9a-f-]{36}$/),
    ]);
  });

  it('see the controller that looks after the runs, and what it is', async () => {
    const need = planned('etl', { name: 'a' });
    await synthesized(both, ...need);
    expect((await only('test', 'controller'))[1]).toContain('no controller was seen');
    const stop = new AbortController();
    const options = {
      kubeconfig: test.kubeconfigPath,
      leaderElect: true,
      leaseName: CONTROLLER_LEASE,
      leaseNamespace: 'default',
      logLevel: 'error',
      logFormat: 'json',
      env: {},
    } as const;
    const run = async (namespaces: readonly string[], version: string, work: () => Promise<void>): Promise<void> => {
      const running = runController({ ...options, namespaces, version }, stop.signal);
      await work().finally(() => stop.abort());
      await running;
    };
    await run(['ml', 'etl'], '0.0.1', async () => {
      await eventually(async () => {
        expect(await only('test', 'controller')).toEqual([
          'failed',
          expect.stringContaining('has version 0.0.1, and these manifests were made by'),
        ]);
      });
    });
    expect(await only('test', 'controller')).toEqual([
      'failed',
      expect.stringContaining('no controller holds the Lease default/'),
    ]);
  });
});
