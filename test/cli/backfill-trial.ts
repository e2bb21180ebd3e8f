import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { isFinished, type Job } from '../../lib/controller/objects.ts';
import { annotations, labels, SCHEDULED_AT } from '../../lib/graph/labels.ts';
import type { ObjectMeta } from '../../lib/kube/objects.ts';
import { Reflector } from '../../lib/kube/reflector.ts';
import { jobs } from '../../lib/kube/resources.ts';
import type { JsonObject } from '../../lib/values/json.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { Bench, cronJob, workflow, type TestWorkflow } from '../controller/support.ts';
import { FaultProxy } from '../fleet/fault-proxy.ts';

const BIN = join(import.meta.dirname, '../../lib/cli/bin.ts');

/** The plans fire each hour, and the times that are made up for begin here. */
export const FIRST = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;

/** A workflow whose one step gets the time of its run. */
export const hourly = workflow('hourly', [{ name: 'work', inputs: { at: { input: 'at' } }, sim: { 'run-ms': '20' } }], {
  inputs: { properties: { at: { type: 'string' } }, required: ['at'] },
});

/** A plan that fires each hour. */
export function hourlyPlan(name: string, spec: JsonObject = {}, of: TestWorkflow = hourly) {
  const made = cronJob(of, name, { schedule: '0 * * * *', suspend: true, ...spec });
  const { jobTemplate, ...rest } = made.spec as { jobTemplate: { metadata: ObjectMeta; spec: object } };
  const own = { ...made.metadata!.labels, [labels.plan]: name };
  const kickoff = Object.keys(of.graph.inputs.properties);
  const notes = { ...jobTemplate.metadata.annotations, [annotations.kickoffInputs]: JSON.stringify(kickoff) };
  return {
    ...made,
    metadata: { name, labels: own },
    spec: { ...rest, jobTemplate: { metadata: { labels: own, annotations: notes }, spec: jobTemplate.spec } },
  };
}

/** What was seen of a backfill by a watch that missed nothing. */
export interface Seen {
  /** The uids of all Jobs of each name. */
  readonly made: ReadonlyMap<string, ReadonlySet<string>>;
  /** How many went on at once at most. */
  readonly atOnce: number;
  /** By how many places a run began before one that comes earlier. */
  readonly outOfOrder: number;
}

/** Backfills by a process of their own, which is killed, and what becomes of their runs. */
export class BackfillTrials implements AsyncDisposable {
  readonly bench: Bench;
  readonly #proxy: FaultProxy;
  readonly #directory: string;

  private constructor(bench: Bench, proxy: FaultProxy, directory: string) {
    this.bench = bench;
    this.#proxy = proxy;
    this.#directory = directory;
  }

  static async start(cluster: ControlPlane): Promise<BackfillTrials> {
    const bench = await Bench.create(cluster.kubeconfigPath, 'backfill');
    const directory = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-backfill-'));
    await bench.apply(...hourly.manifests);
    return new BackfillTrials(bench, await FaultProxy.start(cluster, join(directory, 'proxy')), directory);
  }

  /** Follows the runs of a plan, until the function that it gives says what was seen. */
  async watch(plan: string, options: { readonly newest?: boolean } = {}): Promise<() => Seen> {
    const stop = new AbortController();
    const made = new Map<string, Set<string>>();
    const open = new Set<string>();
    const begun: number[] = [];
    let [atOnce, outOfOrder] = [0, 0];
    const watch = new Reflector<Job>(this.bench.client, jobs, {
      labelSelector: `${labels.plan}=${plan}`,
      onChange: (job, before) => {
        const { name, uid = '' } = job.metadata;
        made.set(name, (made.get(name) ?? new Set()).add(uid));
        if (isFinished(job)) open.delete(uid);
        if (job.status?.startTime === undefined || before?.status?.startTime !== undefined) return;
        if (!isFinished(job)) open.add(uid);
        atOnce = Math.max(atOnce, open.size);
        const time = Date.parse(job.metadata.annotations?.[SCHEDULED_AT] ?? '');
        begun.push(options.newest ? -time : time);
        const [last, first] = [Math.max(...begun), Math.min(...begun)];
        outOfOrder = Math.max(outOfOrder, (last - first) / HOUR + 1 - begun.length);
      },
    });
    watch.start(stop.signal);
    await watch.synced();
    return () => {
      stop.abort();
      return { made, atOnce, outOfOrder };
    };
  }

  /** Backfills so many hours. @param killAfter the number of the request after whose answer the process is killed */
  async backfill(plan: string, hours: number, options: readonly string[] = [], killAfter = Infinity) {
    const to = new Date(FIRST + hours * HOUR).toISOString();
    const range = ['--from', new Date(FIRST).toISOString(), '--to', to].map((part) => part.replace('.000Z', 'Z'));
    // The proxy answers once it has all of an answer: nothing can be watched through it.
    const kubeconfig = killAfter === Infinity ? this.bench.kubeconfigPath : this.#proxy.kubeconfig;
    const where = ['-n', this.bench.namespace, '--kubeconfig', kubeconfig];
    const args = ['backfill', plan, ...range, '--yes', ...options, ...where];
    const child = spawn(process.execPath, ['--conditions=source', BIN, ...args], {
      cwd: this.#directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#proxy.begin({ onAnswered: (answered) => answered === killAfter && child.kill('SIGKILL') });
    const [stdout, stderr, [code, signal]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit') as Promise<[number | null, string | null]>,
    ]);
    return { stdout, stderr, code, killed: signal === 'SIGKILL', requests: this.#proxy.requests };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bench.close();
    await this.#proxy[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
