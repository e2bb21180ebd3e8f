import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { stringify } from 'yaml';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { cliFor, steady } from './cluster-cli.ts';
import { mergedKubeconfig } from './fleet-kubeconfig.ts';

let test: ControlPlane;
let prod: ControlPlane;
let directory: string;
let kubeconfig: string;

beforeAll(async () => {
  const options = { scheduler: false, controllerManager: false, nodes: 1 };
  [test, prod] = await Promise.all([
    startControlPlane({ name: 'test', ...options }),
    startControlPlane({ name: 'prod', ...options }),
  ]);
  directory = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-apply-'));
  kubeconfig = join(directory, 'kubeconfig');
  const contexts = { test: test.kubeconfigPath, prod: prod.kubeconfigPath };
  await writeFile(kubeconfig, stringify(await mergedKubeconfig(contexts)));
});

afterAll(async () => {
  await Promise.all([test?.stop(), prod?.stop()]);
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

const manifests = `apiVersion: v1
kind: Namespace
metadata:
  name: etl
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: site-a
  labels:
    app.kubernetes.io/managed-by: cdk8s-workflows
spec:
  schedule: 0 * * * *
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: main
              image: x
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: runner
`;

describe('apply of a fleet', () => {
  beforeEach(async () => {
    const clusters = { test: { context: 'test', namespace: 'etl' }, prod: { context: 'prod', namespace: 'etl' } };
    await mkdir(join(directory, 'dist/test'), { recursive: true });
    await writeFile(join(directory, 'dist/test/etl.k8s.yaml'), manifests);
    await cp(join(directory, 'dist/test'), join(directory, 'dist/prod'), { recursive: true });
    await writeFile(join(directory, 'dist/placement.json'), JSON.stringify({ clusters, plans: {} }));
  });

  const apply = (...args: string[]) => cliFor(kubeconfig, '')(['apply', ...args], { cwd: directory });

  it('refuses to write when nobody can be asked', async () => {
    const { code, stderr } = await apply();
    expect(code).toBe(2);
    expect(stderr).toBe(`test (context test, namespace etl): 3 to create
  + Namespace etl
  + ServiceAccount etl/runner
  + CronJob etl/site-a
prod (context prod, namespace etl): 3 to create
  + Namespace etl
  + ServiceAccount etl/runner
  + CronJob etl/site-a
error: Apply? Nobody can answer: give --yes or --dry-run
See cdk8s-workflows apply --help
`);
  });

  it('shows what it would do, does it, and has nothing to do the second time', async () => {
    const dry = await apply('--dry-run');
    const table = `CLUSTER KIND NAMESPACE NAME RESULT
test Namespace - etl created
test ServiceAccount etl runner created
test CronJob etl site-a created
prod Namespace - etl created
prod ServiceAccount etl runner created
prod CronJob etl site-a created
`;
    const created = (note: string): string => `${table}\n✓ test: 3 created${note}\n✓ prod: 3 created${note}\n`;
    expect({ ...dry, stdout: steady(dry.stdout) }).toEqual({
      code: 0,
      stderr: '',
      stdout: created(' (dry run, nothing was written)'),
    });
    expect(steady((await apply('--yes')).stdout)).toBe(created(''));
    // Nothing is left to ask about.
    expect((await apply()).stdout).toBe('✓ test: 3 unchanged\n✓ prod: 3 unchanged\n');
    const { stdout } = await prod.kubectl(['get', 'cronjob,sa', '-n', 'etl', '-o', 'name']);
    expect(stdout).toBe('cronjob.batch/site-a\nserviceaccount/runner\n');
  });

  it('applies to the others when one cluster cannot be reached, and exits with 1', async () => {
    const clusters = { test: { context: 'test', namespace: 'etl' }, prod: { context: 'away' } };
    await writeFile(join(directory, 'dist/placement.json'), JSON.stringify({ clusters, plans: {} }));
    const { code, stdout } = await apply('--yes');
    expect(code).toBe(1);
    expect(stdout).toContain('error: prod: Cannot ');
    expect(stdout).toContain('Nothing listens there');
    expect(stdout).toContain('✓ test: 3 unchanged\n✗ prod: nothing was applied\n');
  });

  it('names an unknown context and an unknown cluster', async () => {
    expect(await apply('pord', '--yes')).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'error: Nothing to apply:\n  "pord" is neither a cluster of the fleet nor a directory; did you mean "prod"?\n',
    });
    const { code, stdout } = await apply('test', '--context', 'nowhere', '--yes');
    expect(code).toBe(1);
    expect(stdout).toContain('nowhere');
  });

  it('does not undo what was deactivated by hand until told', async () => {
    const file = join(directory, 'dist/test/etl.k8s.yaml');
    await writeFile(file, manifests.replace('  schedule: 0 * * * *\n', '  schedule: 0 * * * *\n  suspend: false\n'));
    await apply('test', '--yes');
    const cli = cliFor(kubeconfig, 'etl');
    expect((await cli(['deactivate', 'site-a'])).stdout).toBe('plan site-a deactivated\n');
    const kept = await apply('test', '--yes');
    expect(kept.code).toBe(0);
    expect(kept.stderr).toContain('note: test: left as switched by hand: site-a; --force-conflicts takes it back\n');
    expect((await cli(['activate', 'plan/site-a'])).stdout).toBe('plan site-a activated\n');
    expect((await apply('test', '--yes')).code).toBe(0);
    await cli(['deactivate', 'site-a']);
    expect((await apply('test', '--yes', '--force-conflicts')).stdout).toContain('✓ test: 1 configured, 2 unchanged');
  });

  it('reports what is of this project and of nobody, and deletes nothing of it', async () => {
    const ours = { 'app.kubernetes.io/managed-by': 'cdk8s-workflows' };
    const account = (name: string, labels: object) => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name, namespace: 'etl', labels },
    });
    const others = [
      account('left', ours),
      account('of-a-run', { ...ours, 'cdk8s-workflows.dev/run': 'x' }),
      account('of-somebody', {}),
      account('released', { ...ours, 'applyset.kubernetes.io/part-of': 'applyset-gone-v1' }),
    ];
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: others });
    await test.kubectl(['create', '-f', '-'], { input });
    const left = ['left', 'released'].map((name) => ({ kind: 'ServiceAccount', name, namespace: 'etl' }));
    try {
      const named = await apply('test', '--dry-run', '--applyset', 'acme', '-o', 'json');
      expect(named.stderr).toBe(
        'note: test: 2 objects of this project are in no inventory and not in the directory: ServiceAccount etl/left, ' +
          'ServiceAccount etl/released; kubectl delete what nobody needs, unless it is applied from elsewhere\n',
      );
      expect(JSON.parse(named.stdout)).toMatchObject({ clusters: [{ orphans: left }] });
      const { stderr } = await apply('--yes');
      expect(stderr.match(/never deletes/g)).toHaveLength(1);
      const { stdout } = await test.kubectl(['get', 'sa', '-n', 'etl', '-o', 'name']);
      expect(stdout).toContain('serviceaccount/left\n');
    } finally {
      await test.kubectl(['delete', '-f', '-'], { input });
    }
  });

  it('gives the result as JSON', async () => {
    const { stdout } = await apply('test', '--yes', '-o', 'json');
    const { clusters } = JSON.parse(stdout) as { clusters: { cluster: string; objects: { outcome: string }[] }[] };
    expect(clusters.map(({ cluster, objects }) => [cluster, objects.map(({ outcome }) => outcome)])).toEqual([
      ['test', ['unchanged', 'unchanged', 'unchanged']],
    ]);
  });

  it('runs as a process of its own', async () => {
    const bin = join(import.meta.dirname, '../../lib/cli/bin.ts');
    const args = ['apply', 'dist/test', '--yes', '--kubeconfig', kubeconfig];
    const child = spawn(process.execPath, [bin, ...args], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
    const code = new Promise((resolve) => child.once('close', resolve));
    expect([await text(child.stdout), await text(child.stderr), await code]).toEqual(['✓ test: 3 unchanged\n', '', 0]);
  });
});
