import { App, Chart } from 'cdk8s';
import { ServiceAccount } from 'cdk8s-plus-28';
import { ContainerTask, LaunchPlan, PlanNamespace, Workflow } from 'cdk8s-workflows';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configMaps, limitRanges, namespaces, pods, resourceQuotas } from '../../lib/kube/resources.ts';
import type { KubeObject } from '../../lib/kube/objects.ts';
import { packageVersion } from '../../lib/cli/version.ts';
import { runController } from '../../lib/controller/controller-process.ts';
import { CONTROLLER_LEASE } from '../../lib/fleet/preflight/controller-lease.ts';
import { annotationPrefix } from '../cluster/behaviour.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { Bench } from '../controller/support.ts';
import { cliFor } from './cluster-cli.ts';

let cluster: ControlPlane;
let bench: Bench;
let directory: string;
let cli: ReturnType<typeof cliFor>;

/** An app with one workflow, and a plan of it in each team's namespace. */
async function write(teams: readonly string[]): Promise<void> {
  await rm(join(directory, 'dist'), { recursive: true, force: true });
  await mkdir(join(directory, 'dist'));
  const app = new App({ outdir: join(directory, 'dist') });
  const chart = new Chart(app, 'etl', { namespace: bench.namespace });
  const podTemplate = (ms: string) => ({ metadata: { annotations: { [`${annotationPrefix}run-ms`]: ms } } });
  const load = new ContainerTask(chart, 'load', { image: 'etl:1', command: ['etl'], podTemplate: podTemplate('20') });
  const etl = new Workflow(chart, 'etl', {}, ({ step }) => void step('load', load));
  const whole = new Workflow(chart, 'whole', {}, ({ step }) => {
    const first = step.run('child', etl, {});
    step('after', load).after(first);
  });
  for (const name of teams) {
    const team = new PlanNamespace(app, name, {
      quota: { 'requests.cpu': '1.5', pods: 20 },
      limitRange: [{ type: 'Container', defaultRequest: { cpu: '0.1' } }],
    });
    const serviceAccount = new ServiceAccount(team, 'loader', { metadata: { name: 'loader' } });
    new LaunchPlan(team, 'nightly', { workflow: whole, serviceAccount });
    new LaunchPlan(team, 'alone', { task: load });
  }
  app.synth();
}

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'namespaces', nodes: 1 });
  bench = await Bench.create(cluster.kubeconfigPath, 'etl');
  directory = await mkdtemp(join(tmpdir(), 'plan-namespace-'));
  cli = cliFor(cluster.kubeconfigPath, '');
  await bench.controller({ namespaces: null });
});

afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
  await rm(directory, { recursive: true, force: true });
});

const apply = (...options: string[]) =>
  cli(['apply', 'dist', '--applyset', 'teams', '--yes', ...options], { cwd: directory });

describe('plans in namespaces of their own', () => {
  it('are applied after their namespaces, quotas and accounts, and are as they are when applied again', async () => {
    await write(['team-a', 'team-b']);
    expect(await apply()).toMatchObject({ code: 0 });
    for (const namespace of ['team-a', 'team-b']) {
      const [quota] = (await bench.client.list<KubeObject & { spec: object }>(resourceQuotas, { namespace })).items;
      expect(quota?.spec).toEqual({ hard: { 'requests.cpu': '1500m', pods: '20' } });
      expect((await bench.client.list(limitRanges, { namespace })).items).toHaveLength(1);
      const graphs = (
        await bench.client.list(configMaps, { namespace, labelSelector: 'cdk8s-workflows.dev/content=graph' })
      ).items;
      expect(graphs).toHaveLength(2);
    }
    const again = await apply('--dry-run');
    expect(again.stdout).toMatch(/^✓ test: \d+ unchanged \(dry run/);
  });

  it('are told that a controller for its own namespace does not look after them', async () => {
    const stop = new AbortController();
    const options = { kubeconfig: cluster.kubeconfigPath, logLevel: 'error', logFormat: 'json', env: {} } as const;
    const lease = { leaderElect: true, leaseName: CONTROLLER_LEASE, leaseNamespace: bench.namespace };
    const namespaces = [bench.namespace];
    const running = runController({ ...options, ...lease, namespaces, version: packageVersion() }, stop.signal);
    await eventually(async () => {
      const { stdout } = await cli(['check', 'dist', '-o', 'json'], { cwd: directory });
      expect(stdout).toContain('no controller looks after the namespace team-a');
      expect(stdout).toContain('no controller looks after the namespace team-b');
    }, 30_000).finally(() => stop.abort());
    await running;
  });

  it('run the same workflow side by side, with its child runs, under their own accounts and quotas', async () => {
    const launched = await Promise.all(
      ['team-a', 'team-b'].map((namespace) => cli(['launch', 'nightly', '-n', namespace, '--wait'])),
    );
    expect(launched.map(({ code }) => code)).toEqual([0, 0]);
    expect(await cli(['launch', 'alone', '-n', 'team-b', '--wait'])).toMatchObject({ code: 0 });
    const { items } = await bench.client.list<
      KubeObject & { spec: { serviceAccountName: string; containers: { resources: object }[] } }
    >(pods, { namespace: 'team-a' });
    expect(items.map(({ spec }) => spec.serviceAccountName)).toEqual(['loader', 'loader']);
    // What the LimitRange gave it, and the quota counts.
    expect(items[0]?.spec.containers[0]?.resources).toMatchObject({ requests: { cpu: '100m' } });
    expect((await cli(['plans', '-A'])).stdout).toMatch(/team-a +nightly[^]*team-b +nightly/);
  });

  it('stay with all that is in the namespace when it leaves the app', async () => {
    await write(['team-a']);
    const { code, stdout } = await apply('--yes-delete');
    expect(code).toBe(0);
    expect(stdout).toMatch(/CronJob +team-b +nightly +pruned/);
    expect(stdout).toMatch(/Namespace +- +team-b +kept/);
    const { status } = await bench.client.get<KubeObject & { status: object }>(namespaces, 'team-b');
    expect(status).toEqual({ phase: 'Active' });
    // Its plans are gone, its runs and what they need are not.
    expect((await cli(['plans', '-n', 'team-b'])).stdout).toBe('');
    expect((await cli(['runs', '-n', 'team-b'])).stdout).toContain('Succeeded');
  });
});
