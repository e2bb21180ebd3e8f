/**
 * `npm run check:catchup -- [--minutes 5]`: plans on a real control plane that is stopped for so long, 3 minutes at least, and our controller with it. Those
 * with `catchUp` `none` and `all` fire each minute, one each 20 seconds. Kubernetes needs up to a minute to come to its CronJobs again, so the one with
 * `latest` fires so seldom that its next time is more than that away: the last one that passed is just before the end. Prints what was run for
 * each time that passed meanwhile, and ends with 1 when that is not what the plan says.
 */
import { type Chart, Duration, Testing } from 'cdk8s';
import { ContainerTask, LaunchPlan, Schedule, Workflow } from 'cdk8s-workflows';
import { parseArgs } from 'node:util';
import { labels, MANAGED_BY, SCHEDULED_AT } from '../../lib/graph/labels.ts';
import type { Job } from '../../lib/controller/objects.ts';
import type { KubeObject, NewObject } from '../../lib/kube/objects.ts';
import { Reflector } from '../../lib/kube/reflector.ts';
import { jobs, nodes } from '../../lib/kube/resources.ts';
import { isTicker } from '../../lib/runs/run-kinds.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { Bench } from '../controller/support.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' } } });
const MINUTE = 60_000;
const minutes = Number(values.minutes);
if (!Number.isSafeInteger(minutes) || minutes < 3) throw new Error('--minutes must be a whole number of at least 3');
const downtime = minutes * MINUTE;
/** Between two times of `latest`, in minutes: it makes up an hour, and two of them pass meanwhile. */
const seldom = [2, 3, 4, 5, 6, 10, 12, 15, 20, 30].findLast((each) => each < minutes)!;

interface Node extends KubeObject {
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

/** The plans, with the milliseconds between two of their times. */
const plans = { none: MINUTE, latest: seldom * MINUTE, all: MINUTE, often: 20_000 };
type Plan = keyof typeof plans;

/** When the run of a time was made, by plan. */
const made = new Map<Plan, Map<number, number>>();
/** The times of the runs of each plan, in the order in which they began. */
const begun = new Map<Plan, number[]>();
const seen = new Set<string>();
let wrong = 0;

const clock = (time: number) => new Date(time).toISOString().slice(11, 19);
const say = (text: string) => console.log(`${clock(Date.now())} ${text}`);
const until = (time: number) => new Promise((done) => setTimeout(done, time - Date.now()));

const cluster = await startControlPlane({ name: 'catchup', nodes: 1 });
const bench = await Bench.create(cluster.kubeconfigPath, 'catchup');
const stop = new AbortController();
try {
  let controller = await bench.controller();
  await bench.apply(...manifests());
  new Reflector<Job>(bench.client, jobs, {
    labelSelector: `${labels.managedBy}=${MANAGED_BY},${labels.plan}`,
    onChange: see,
  }).start(stop.signal);
  // In the middle of a minute, after those of each minute have run once, and so that a time of `latest` lies half a minute before the end.
  let up = Math.ceil(Date.now() / MINUTE) * MINUTE + MINUTE + downtime;
  while (up % (seldom * MINUTE) !== 0) up += MINUTE;
  const down = up + 0.5 * MINUTE - downtime;
  say(`fires until ${clock(down)}`);
  await until(down);
  await controller.stop();
  await cluster.stopApiServer();
  say('the API server and the controller are stopped');
  await until(down + downtime);
  await cluster.startApiServer();
  controller = await bench.controller();
  up = Date.now();
  say('they are there again');
  const end = Math.ceil(up / MINUTE) * MINUTE + 2.5 * MINUTE;
  while (Date.now() < end) {
    await bringBackNodes();
    await until(Math.min(end, Date.now() + 3_000));
  }
  for (const plan of Object.keys(plans) as Plan[]) report(plan, down, up);
  console.log(`${wrong} mistakes`);
  process.exitCode = wrong === 0 ? 0 : 1;
} finally {
  stop.abort();
  await bench.close();
  await cluster.stop();
}

function manifests(): readonly NewObject[] {
  const chart = Testing.chart() as unknown as Chart;
  const task = new ContainerTask(chart, 'work', {
    image: 'work:1',
    command: ['work'],
    podTemplate: { metadata: { annotations: { 'sim.test/run-ms': '500' } } },
  });
  const workflow = new Workflow(chart, 'quick', {}, ({ step }) => void step('work', task));
  const common = { workflow, successfulRunsHistoryLimit: 100, timeZone: 'Etc/UTC' };
  for (const catchUp of ['none', 'latest', 'all'] as const) {
    const schedule = Schedule.cron(catchUp === 'latest' ? `*/${seldom} * * * *` : '* * * * *');
    new LaunchPlan(chart, catchUp, { ...common, schedule, catchUp });
  }
  new LaunchPlan(chart, 'often', { ...common, schedule: Schedule.every(Duration.seconds(20)), catchUp: 'all' });
  return Testing.synth(chart) as NewObject[];
}

/** A node that was not heard of for so long counts as lost until its kubelet posts its status, which the simulated one does only at its start. */
async function bringBackNodes(): Promise<void> {
  for (const node of (await bench.client.list<Node>(nodes)).items) {
    const conditions = node.status.conditions.map((each) =>
      each.type === 'Ready' ? { ...each, status: 'True', reason: 'KubeletReady' } : { ...each, status: 'False' },
    );
    const isLost = node.status.conditions.some(({ type, status }) => type === 'Ready' && status !== 'True');
    const options = { type: 'merge', subresource: 'status' } as const;
    if (isLost) await bench.client.patch(nodes, node.metadata.name, { status: { conditions } }, options);
  }
}

function see(job: Job): void {
  const { metadata, status } = job;
  const [plan, time] = [metadata.labels![labels.plan] as Plan, Date.parse(metadata.annotations![SCHEDULED_AT]!)];
  if (isTicker(job)) return;
  const times = made.get(plan) ?? new Map<number, number>();
  made.set(plan, times.set(time, times.get(time) ?? Date.parse(metadata.creationTimestamp!)));
  if (status?.startTime === undefined || seen.has(metadata.uid!)) return;
  seen.add(metadata.uid!);
  begun.set(plan, [...(begun.get(plan) ?? []), time]);
}

/** Tells what was run for the times of a plan that passed meanwhile, and what is wrong with that. */
function report(plan: Plan, down: number, up: number): void {
  const interval = plans[plan];
  const ran = begun.get(plan) ?? [];
  const times: number[] = [];
  for (let time = Math.ceil(down / interval) * interval; time < up; time += interval) times.push(time);
  const late = times.filter((time) => ran.includes(time));
  const after = (time: number) => (made.get(plan)!.get(time)! - time) / 1000;
  console.log(
    `\n${plan}: ${times.length} times passed, ${clock(times[0]!)} to ${clock(times.at(-1)!)}; run of them: ${late.length}`,
  );
  for (const time of late) console.log(`  ${clock(time)} made ${after(time).toFixed(0)} s after it`);
  const mistake = (text: string) => {
    wrong++;
    console.log(`  MISTAKE: ${text}`);
  };
  if (new Set(ran).size < ran.length) mistake('a time was run twice');
  if (plan === 'all' || plan === 'often') {
    if (late.length < times.length) mistake('a time was not made up for');
    if (ran.some((time, index) => index > 0 && time < ran[index - 1]!)) mistake('the runs did not begin in order');
    return;
  }
  if (plan === 'latest') {
    if (late.length !== 1 || late[0] !== times.at(-1)) mistake('not the last time alone was made up for');
    return;
  }
  if (late.length > 1) mistake('more than one time was made up for');
  const first = ran.find((time) => time >= down);
  if (first === undefined) mistake('nothing was run afterwards');
  else if (after(first) > 31) mistake(`the run of ${clock(first)} is late`);
}
