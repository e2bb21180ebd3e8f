import { App, Chart } from 'cdk8s';
import { ApiResource, Role, Secret, ServiceAccount } from 'cdk8s-plus-28';
import { ContainerTask, LaunchPlan, LaunchPlanGroup, Workflow, z } from 'cdk8s-workflows';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApplyResult } from '../../lib/fleet/apply/apply-result.ts';
import { applySetKeys } from '../../lib/fleet/apply/applyset.ts';
import { cronJobs, roleBindings, roles, secrets, serviceAccounts } from '../../lib/kube/resources.ts';
import { annotationPrefix } from '../cluster/behaviour.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { Bench } from '../controller/support.ts';
import { cliFor } from './cluster-cli.ts';

let cluster: ControlPlane;
let bench: Bench;
let directory: string;
let cli: ReturnType<typeof cliFor>;

/** Synthesizes an app, in place of what was there. */
async function synth(define: (chart: Chart) => void): Promise<void> {
  await rm(join(directory, 'dist'), { recursive: true, force: true });
  await mkdir(join(directory, 'dist'));
  const app = new App({ outdir: join(directory, 'dist') });
  define(new Chart(app, 'etl', { namespace: bench.namespace }));
  app.synth();
}

/** A plan for each site, and beside it all that its pods need. */
const plansOf =
  (...sites: readonly string[]) =>
  (chart: Chart): void => {
    const podTemplate = { metadata: { annotations: { [`${annotationPrefix}run-ms`]: '20' } } };
    const load = new ContainerTask(chart, 'load', { image: 'etl:1', command: ['etl'], podTemplate });
    const etl = new Workflow(chart, 'etl', {}, ({ step, approve }) => {
      const first = step('first', load);
      step('last', load).after(approve('ask').after(first));
    });
    for (const name of sites) {
      const metadata = { name };
      const serviceAccount = new ServiceAccount(chart, `${name}-account`, { metadata });
      const role = new Role(chart, `${name}-role`, { metadata });
      role.allowRead(ApiResource.CONFIG_MAPS);
      role.bind(serviceAccount);
      new Secret(chart, `${name}-key`, { metadata, stringData: { key: name } });
      const volumes = [{ name: 'key', secret: { secretName: name } }];
      new LaunchPlan(chart, name, { workflow: etl, serviceAccount, podTemplate: { spec: { volumes } } });
    }
  };

const apply = (...options: string[]) =>
  cli(['apply', 'dist', '--applyset', 'etl', '--yes', ...options], { cwd: directory });

/** What is there of the inventory. */
async function members(): Promise<string[]> {
  const kinds = [cronJobs, roleBindings, roles, secrets, serviceAccounts];
  const lists = await Promise.all(kinds.map((of) => bench.client.list(of, { labelSelector: applySetKeys.partOf })));
  const there = lists.flatMap(({ items }) => items).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return there.map(({ kind, metadata }) => `${kind} ${kind === 'RoleBinding' ? '' : metadata.name}`.trim());
}

async function launched(plan: string): Promise<string> {
  const { stdout } = await cli(['launch', plan, '-o', 'name']);
  return stdout.trim().replace('job.batch/', '');
}

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'prune-runs', nodes: 1 });
  bench = await Bench.create(cluster.kubeconfigPath, 'etl');
  directory = await mkdtemp(join(tmpdir(), 'prune-runs-'));
  cli = cliFor(cluster.kubeconfigPath, bench.namespace);
  await bench.controller();
});

afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('a plan that is deleted while it runs', () => {
  it('leaves to its run what the next steps need, until an apply after the end of the run', async () => {
    await synth(plansOf('site-a', 'site-b', 'site-c'));
    expect(await apply()).toMatchObject({ code: 0 });
    const run = await launched('site-b');
    await bench.recorded(run, ({ steps }) => steps.get('first')?.phase === 'Succeeded');

    await synth(plansOf('site-a'));
    const dropped = await apply('--yes-delete');
    expect(dropped).toMatchObject({ code: 0 });
    expect(dropped.stdout).toMatch(
      new RegExp(
        `note: test: RoleBinding \\S+ and 3 more: is kept: the run ${run} needs it; apply again when it has ended`,
      ),
    );
    const ofA = ['CronJob site-a', 'RoleBinding', 'Role site-a', 'Secret site-a', 'ServiceAccount site-a'];
    const ofB = ['RoleBinding', 'Role site-b', 'Secret site-b', 'ServiceAccount site-b'];
    await eventually(async () => expect((await members()).sort()).toEqual([...ofA, ...ofB].sort()));

    expect(await cli(['approve', run, 'ask'])).toMatchObject({ code: 0 });
    const job = await bench.finished(run);
    expect(job.status?.conditions).toContainEqual(expect.objectContaining({ type: 'Complete', status: 'True' }));

    expect((await apply('--dry-run')).stdout).toContain(', 4 pruned (dry run');
    expect(await apply('--yes-delete')).toMatchObject({ code: 0 });
    await eventually(async () => expect((await members()).sort()).toEqual([...ofA].sort()));
  });
});

describe('a plan that is held at the version it has', () => {
  it('keeps what that version needs, until it is promoted', async () => {
    const version = (name: string) => (chart: Chart) => {
      const serviceAccount = new ServiceAccount(chart, name, { metadata: { name } });
      const load = new ContainerTask(chart, 'load', { image: 'etl:1', command: [name], serviceAccount });
      const etl = new Workflow(chart, 'etl', { inputs: { site: z.string() } }, ({ step }) => void step('load', load));
      new LaunchPlanGroup(chart, 'sites', { workflow: etl, over: { site: ['a', 'b'] } });
    };
    await synth(version('old'));
    expect(await apply('--yes-delete')).toMatchObject({ code: 0 });
    await synth(version('new'));
    const canary = await apply('--canary', '50%', '-o', 'json');
    const { clusters } = JSON.parse(canary.stdout) as { clusters: readonly [ApplyResult] };
    const [{ objects }] = clusters;
    const held = objects.find((object) => object.held)!.name;
    expect(objects).toContainEqual(
      expect.objectContaining({
        kind: 'ServiceAccount',
        name: 'old',
        outcome: 'kept',
        reason: { message: `is kept: the plan ${held} needs it`, fix: 'promote the plan, and apply again' },
      }),
    );
    expect(await cli(['promote', '--group', 'sites'])).toMatchObject({ code: 0 });
    expect((await apply()).stdout).toMatch(/ServiceAccount +\S+ +old +pruned/);
  });
});
