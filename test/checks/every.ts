/**
 * `npm run check:every -- [--plans 50] [--minutes 3] [--seconds 10]`: so many plans with an interval below a minute on a real control plane, whose
 * CronJobs Kubernetes itself fires. Ends with 1 when a run is missing, comes twice, or begins more than a second off its time.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { annotations, labels, MANAGED_BY, SCHEDULED_AT } from '../../lib/graph/labels.ts';
import type { Job } from '../../lib/controller/objects.ts';
import type { ObjectMeta } from '../../lib/kube/objects.ts';
import { Reflector } from '../../lib/kube/reflector.ts';
import { jobs } from '../../lib/kube/resources.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { Bench, cronJob, workflow } from '../controller/support.ts';

const { values } = parseArgs({
  options: {
    plans: { type: 'string', default: '50' },
    minutes: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
  },
});
const [plans, minutes, interval] = [Number(values.plans), Number(values.minutes), Number(values.seconds) * 1000];

const cluster = await startControlPlane({ name: 'every', nodes: 2 });
const bench = await Bench.create(cluster.kubeconfigPath, 'every');
/** When the run of a time was seen to begin, by plan. */
const begun = new Map<string, Map<number, number>>();
try {
  await bench.controller();
  const quick = workflow('quick', [{ name: 'work', sim: { 'run-ms': '50' } }]);
  await bench.apply(...quick.manifests);
  const stop = new AbortController();
  const watch = new Reflector<Job>(bench.client, jobs, {
    labelSelector: `${labels.managedBy}=${MANAGED_BY}`,
    onChange: see,
  });
  watch.start(stop.signal);
  for (let plan = 0; plan < plans; plan++) await bench.apply(often(`plan-${plan}`));
  // The first runs come in the minute after the CronJobs were made.
  const from = Math.ceil(Date.now() / 60_000) * 60_000 + 60_000 + 5_000;
  const to = from + minutes * 60_000;
  console.log(
    `${plans} plans, each every ${interval / 1000} s, for ${minutes} minutes from ${new Date(from).toISOString()} on`,
  );
  await new Promise((done) => setTimeout(done, to + 3_000 - Date.now()));
  stop.abort();
  report(from, to);
  await tellSkipped();

  function often(name: string) {
    const made = cronJob(quick, name, { schedule: '* * * * *', suspend: false, concurrencyPolicy: 'Allow' });
    const { jobTemplate, ...spec } = made.spec as {
      jobTemplate: { metadata: Pick<ObjectMeta, 'labels' | 'annotations'> };
    };
    const notes = {
      ...jobTemplate.metadata.annotations,
      [annotations.every]: String(interval / 1000),
      [annotations.concurrency]: JSON.stringify({ policy: 'Forbid' }),
    };
    const metadata = { labels: { ...jobTemplate.metadata.labels, [labels.plan]: name }, annotations: notes };
    return { ...made, spec: { ...spec, jobTemplate: { ...jobTemplate, metadata } } };
  }
} finally {
  await bench.close();
  await cluster.stop();
}

function see({ metadata, status }: Job): void {
  if (status?.startTime === undefined || metadata.annotations?.[annotations.every] !== undefined) return;
  const plan = metadata.labels![labels.plan]!;
  const times = begun.get(plan) ?? new Map<number, number>();
  const scheduled = Date.parse(metadata.annotations![SCHEDULED_AT]!);
  begun.set(plan, times.set(scheduled, times.get(scheduled) ?? Date.now()));
}

/** Why runs are missing. */
async function tellSkipped(): Promise<void> {
  const why = new Map<string, number>();
  for (let plan = 0; plan < plans; plan++)
    for (const event of await bench.events(`plan-${plan}`)) {
      const reason = event.replaceAll(/\d{4}-[^ ]*Z|plan-[\d-]+/g, '…');
      why.set(reason, (why.get(reason) ?? 0) + 1);
    }
  for (const [reason, count] of why) console.log(`${count} times ${reason}`);
}

function report(from: number, to: number): void {
  const late: number[] = [];
  const off: number[] = [];
  let missing = 0;
  for (let plan = 0; plan < plans; plan++) {
    const times = begun.get(`plan-${plan}`) ?? new Map<number, number>();
    let last: number | undefined;
    for (let tick = Math.ceil(from / interval) * interval; tick < to; tick += interval) {
      const at = times.get(tick);
      if (at === undefined) missing++;
      else late.push(at - tick);
      if (at !== undefined && last !== undefined) off.push(Math.abs(at - last - interval));
      last = at;
    }
  }
  const most = (numbers: number[], share: number) =>
    numbers.sort((a, b) => a - b)[Math.ceil(numbers.length * share) - 1];
  const load = loadavg().map((average) => average.toFixed(1));
  console.log(`${late.length} runs began, ${missing} are missing; load averages ${load.join(', ')}`);
  console.log(
    `after their time by ${most(late, 0.5)} ms (half), ${most(late, 0.99)} ms (99 %), ${most(late, 1)} ms (all)`,
  );
  console.log(`intervals off by ${most(off, 0.5)} ms (half), ${most(off, 0.99)} ms (99 %), ${most(off, 1)} ms (all)`);
  process.exitCode = missing > 0 || off.some((ms) => ms > 1_000) ? 1 : 0;
}
