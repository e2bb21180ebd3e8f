/**
 * `npm run check:concurrency -- [--minutes 4]`: plans that fire each minute, and whose runs take longer, on a real control plane whose CronJobs
 * Kubernetes itself fires: Forbid, Replace and a queue of one. Prints what became of each run, and ends with 1 when two of a plan ran at once
 * or nobody told of a run that was skipped.
 */
import { parseArgs } from 'node:util';
import { annotations, labels, MANAGED_BY } from '../../lib/graph/labels.ts';
import { isFinished, type Job } from '../../lib/controller/objects.ts';
import type { ObjectMeta } from '../../lib/kube/objects.ts';
import { Reflector } from '../../lib/kube/reflector.ts';
import { jobs } from '../../lib/kube/resources.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { Bench, cronJob, workflow } from '../controller/support.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '4' } } });
const RUN_MS = 100_000;

const cluster = await startControlPlane({ name: 'concurrency', nodes: 1 });
const bench = await Bench.create(cluster.kubeconfigPath, 'concurrency');
const long = workflow('long', [{ name: 'work', sim: { 'run-ms': String(RUN_MS) } }]);
/** The runs of each plan that go on. */
const open = new Map<string, Set<string>>();
const told: string[] = [];
let wrong = 0;
const say = (text: string) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
try {
  await bench.controller();
  await bench.apply(...long.manifests);
  const stop = new AbortController();
  const watch = new Reflector<Job>(bench.client, jobs, {
    labelSelector: `${labels.managedBy}=${MANAGED_BY}`,
    onChange: see,
    onDelete: gone,
  });
  watch.start(stop.signal);
  await bench.apply(
    plan('forbid', 'Forbid'),
    plan('replace', 'Replace'),
    plan('queue', 'Allow', { policy: 'Queue', max: 1 }),
  );
  await new Promise((done) => setTimeout(done, Number(values.minutes) * 60_000));
  stop.abort();
  for (const name of ['forbid', 'replace', 'queue']) {
    const events = await bench.events(name);
    const skipped = events.filter((event) => /^(JobAlreadyActive|RunSkipped)/.test(event));
    for (const event of skipped) console.log(`${name}: ${event}`);
    if (name !== 'replace' && skipped.length === 0) wrong++;
  }
  console.log(`${told.length} runs began; ${wrong} mistakes`);
  process.exitCode = wrong === 0 && told.length >= 6 ? 0 : 1;
} finally {
  await bench.close();
  await cluster.stop();
}

function plan(name: string, concurrencyPolicy: string, concurrency?: object) {
  const made = cronJob(long, name, { schedule: '* * * * *', suspend: false, concurrencyPolicy });
  const { jobTemplate, ...spec } = made.spec as {
    jobTemplate: { metadata: Pick<ObjectMeta, 'labels' | 'annotations'> };
  };
  const note = concurrency && { [annotations.concurrency]: JSON.stringify(concurrency) };
  const metadata = {
    labels: { ...jobTemplate.metadata.labels, [labels.plan]: name },
    annotations: { ...jobTemplate.metadata.annotations, ...note },
  };
  return { ...made, spec: { ...spec, jobTemplate: { ...jobTemplate, metadata } } };
}

function see(job: Job): void {
  const { name, labels: own = {} } = job.metadata;
  const running = open.get(own[labels.plan]!) ?? new Set<string>();
  open.set(own[labels.plan]!, running);
  if (isFinished(job)) return gone(job);
  if (job.status?.startTime === undefined || job.metadata.deletionTimestamp || running.has(name)) return;
  running.add(name);
  told.push(name);
  say(`${name} begins`);
  if (running.size > 1) {
    wrong++;
    say(`MISTAKE: ${[...running].join(' and ')} run at once`);
  }
}

function gone({ metadata: { name, labels: own = {} } }: Job): void {
  if (open.get(own[labels.plan]!)?.delete(name)) say(`${name} has ended`);
}
