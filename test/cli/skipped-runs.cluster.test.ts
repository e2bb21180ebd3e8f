import { type Chart, Testing } from 'cdk8s';
import { ContainerTask, LaunchPlan, Schedule, Workflow } from 'cdk8s-workflows';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kickoffText } from '../../lib/graph/kickoff.ts';
import { labels } from '../../lib/graph/labels.ts';
import type { Job } from '../../lib/controller/objects.ts';
import { plannedRunName } from '../../lib/controller/schedules/planned-run.ts';
import type { NewObject } from '../../lib/kube/objects.ts';
import { cronJobs, jobs } from '../../lib/kube/resources.ts';
import { scheduledAt } from '../../lib/runs/run-kinds.ts';
import { annotationPrefix } from '../cluster/behaviour.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../cluster/eventually.ts';
import { Bench } from '../controller/support.ts';
import { CliProcess } from './cli.ts';
import { cliFor } from './cluster-cli.ts';

let cluster: ControlPlane;
let bench: Bench;
let cli: ReturnType<typeof cliFor>;

const MINUTE = 60_000;
/** One of a workflow, which a controller sequences, and one of a single task, which only Kubernetes looks after. */
const plans = ['alone', 'together'] as const;

/** Plans that fire each minute, and whose runs never end by themselves. */
function manifests(): readonly NewObject[] {
  const chart = Testing.chart() as unknown as Chart;
  const podTemplate = { metadata: { annotations: { [`${annotationPrefix}stuck`]: 'Running' } } };
  const task = new ContainerTask(chart, 'work', { image: 'work:1', command: ['work'], podTemplate });
  const workflow = new Workflow(chart, 'long', {}, ({ step }) => void step('work', task));
  const schedule = Schedule.cron('* * * * *');
  new LaunchPlan(chart, 'alone', { task, schedule });
  new LaunchPlan(chart, 'together', { workflow, schedule });
  return Testing.synth(chart) as NewObject[];
}

interface Row {
  readonly name: string;
  readonly plan: string;
  readonly reason: string;
  readonly message: string;
  readonly createdAt: string;
}

async function skipped(...options: string[]): Promise<readonly Row[]> {
  const rows = JSON.parse((await cli(['runs', '--phase', 'Skipped', '-o', 'json', ...options])).stdout) as Row[];
  return rows.sort((a, b) => a.name.localeCompare(b.name));
}

async function runsOf(plan: string): Promise<readonly Job[]> {
  const { items } = await bench.client.list<Job>(jobs, { labelSelector: `${labels.plan}=${plan},!${labels.step}` });
  return items.sort((a, b) => scheduledAt(a)! - scheduledAt(b)!);
}

/** The row of a time at which another run of the plan went on. */
const row = (plan: string, time: number, other: string) => ({
  name: plannedRunName(plan, time, undefined),
  plan,
  reason: 'RunGoesOn',
  message: `${other} still goes on`,
  createdAt: new Date(time).toISOString().replace('.000', ''),
});

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'skipped-runs', nodes: 1 });
  bench = await Bench.create(cluster.kubeconfigPath, 'skipped');
  cli = cliFor(cluster.kubeconfigPath, bench.namespace);
  await bench.controller();
  await bench.apply(...manifests());
  // As if they had fired before, so that the minute that has passed is made up for and no other is waited for.
  const status = { lastScheduleTime: kickoffText(Date.now() - 2 * MINUTE) };
  for (const plan of plans)
    await bench.client.patch(cronJobs, plan, { status }, { type: 'merge', subresource: 'status' });
});

afterAll(async () => {
  await bench?.close();
  await cluster?.stop();
});

it('what Kubernetes skips with Forbid is a row, and what it makes up for is none', async () => {
  const where = ['--kubeconfig', cluster.kubeconfigPath, '-n', bench.namespace];
  const watching = new CliProcess(['runs', '--watch', '--phase', 'Skipped', '-o', 'json', ...where], process.cwd());
  await eventually(async () => {
    expect(new Set((await skipped()).map(({ plan }) => plan))).toEqual(new Set(plans));
  }, 240_000);
  const firsts = new Map<string, Job>();
  for (const plan of plans) {
    const [first, ...others] = await runsOf(plan);
    expect(others).toEqual([]);
    firsts.set(plan, first!);
    const { name } = first!.metadata;
    // Of the last time that has passed nobody knows yet: it has a run when this one ends.
    expect((await skipped('--plan', plan))[0]).toMatchObject(row(plan, scheduledAt(first!)! + MINUTE, name));
  }
  expect((await cli(['runs', '-o', 'name', '--phase', 'Skipped'])).stdout).toBe('');
  expect((await cli(['runs', '--plan', 'alone', '-o', 'wide'])).stdout).toMatch(
    /alone-\d+ +alone +Skipped +- +\S+ +- +- +alone-\d+ still goes on\n/,
  );
  // Who watches is told without asking again.
  await eventually(() => {
    for (const plan of plans) expect(watching.stdout).toContain(`"plan":"${plan}"`);
  });
  watching.child.kill('SIGINT');
  expect(await watching.end()).toBe(130);
  for (const { metadata } of firsts.values()) await cli(['cancel', metadata.name, '--wait']);
  for (const plan of plans) {
    const [first, second] = await eventually(async () => {
      const made = await runsOf(plan);
      expect(made.length).toBeGreaterThanOrEqual(2);
      return made as [Job, Job];
    }, 90_000);
    const { name } = firsts.get(plan)!.metadata;
    expect(first.metadata.name).toBe(name);
    const rows = await skipped('--plan', plan);
    expect(rows.length).toBeGreaterThanOrEqual(1);
    expect(rows).toMatchObject(rows.map((_, index) => row(plan, scheduledAt(first)! + (index + 1) * MINUTE, name)));
    expect(rows.at(-1)!.name < second.metadata.name).toBe(true);
  }
}, 400_000);
