import { LockTable, type StepLimits } from '../engine/lock-table.ts';
import { systemClock, type Clock } from '../kube/clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { EventRecorder } from '../kube/events.ts';
import { keyOf } from '../kube/objects.ts';
import type { Reflector } from '../kube/reflector.ts';
import { Admission } from './schedules/admission.ts';
import { GraphStore } from './graph-store.ts';
import { silentLogger, type Logger } from './log.ts';
import { noMetrics, type Metrics } from './metrics.ts';
import { isOpen, type Job, type Pod } from './objects.ts';
import { RemoteClusters } from './remote/remote-clusters.ts';
import type { RemoteCluster } from './remote/remote-watch.ts';
import { ResultCache } from './result-cache.ts';
import { Notifications } from './notifications/notifications.ts';
import { isRun, isStepHere, runId } from './run-job.ts';
import { planReflector, runReflectors } from './run-watch.ts';
import { RunWorker } from './run/run-worker.ts';
import { StepIndex } from './step-index.ts';
import { sweep } from './sweep.ts';
import { defaultTiming, type Timing, type WorkerContext } from './worker-context.ts';
import { Works } from './works.ts';

/** What a controller looks after, and with what. */
export interface ControllerOptions {
  readonly client: KubeClient;
  /** null means all. @default the client's */
  readonly namespaces?: readonly string[] | null;
  /** @default says nothing */
  readonly log?: Logger;
  /** @default counts nothing */
  readonly metrics?: Metrics;
  /** Who is named in events, such as the pod. @default the component */
  readonly instance?: string;
  readonly timing?: Partial<Timing>;
  readonly clock?: Clock;
  /** How many steps may run at once. @default as many as the runs allow */
  readonly limits?: StepLimits;
  /** Other clusters that steps may have their runs on. @default none */
  readonly remoteClusters?: readonly RemoteCluster[];
}

/**
 * Sequences all runs of the namespaces it looks after. It keeps nothing that is not on the cluster: started anew, it takes
 * up every unfinished run from its record and its pods.
 */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #log: Logger;
  readonly #metrics: Metrics;
  readonly #clock: Clock;
  readonly #timing: Timing;
  readonly #events: EventRecorder;
  readonly #jobs = new Map<string, Job>();
  readonly #steps = new StepIndex();
  readonly #locks: LockTable;
  readonly #admission: Admission;
  readonly #works: Works;
  readonly #stopWatching = new AbortController();
  #context: WorkerContext | undefined;
  #remotes: RemoteClusters | undefined;
  #notifications: Notifications | undefined;
  #ready = false;

  constructor(options: ControllerOptions) {
    const { client, log = silentLogger, metrics = noMetrics, clock = systemClock, instance } = options;
    this.#options = options;
    this.#log = log;
    this.#metrics = metrics;
    this.#clock = clock;
    this.#timing = { ...defaultTiming, ...options.timing };
    this.#locks = new LockTable(options.limits);
    const onError = (error: unknown) => log.warn('An event could not be written', { error });
    this.#events = new EventRecorder(client, { component: 'cdk8s-workflows', onError, ...(instance && { instance }) });
    this.#admission = new Admission({
      client,
      clock,
      log,
      tell: (object, note) => this.#events.record(object, note),
      hasBegun: (job) => this.#steps.of(keyOf(job)).length > 0,
      onNews: (job) => this.#works.consider(this.#jobs.get(keyOf(job)) ?? job),
    });
    this.#works = new Works({
      clock,
      metrics,
      locks: this.#locks,
      admission: this.#admission,
      job: (key) => this.#jobs.get(key),
      workerOf: (job, told) => new RunWorker(this.#context!, job, () => this.#steps.of(keyOf(job)), told),
      signal: this.#stopWatching.signal,
    });
  }

  /** Whether it has seen all runs and works on them. */
  get ready(): boolean {
    return this.#ready;
  }

  /** How many runs are being worked on. */
  get active(): number {
    return this.#works.size;
  }

  /**
   * Works until the signal is aborted; then stops all runs at once. Call {@link close} before to let them write
   * down what they know.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { client, namespaces = [client.namespace] } = this.#options;
    signal.addEventListener('abort', () => this.#stop(), { once: true });
    if (signal.aborted) return this.#stop();
    const watching = this.#stopWatching.signal;
    this.#remotes = this.#openRemotes(watching);
    this.#context = {
      client,
      graphs: new GraphStore(client, watching),
      clock: this.#clock,
      log: this.#log,
      metrics: this.#metrics,
      mode: 'managed',
      tell: (run, note) => this.#events.record(run, note),
      timing: this.#timing,
      locks: this.#locks,
      results: new ResultCache(client, this.#log),
      ...(this.#remotes && { remotes: this.#remotes }),
    };
    this.#notifications = new Notifications(this.#context, client, watching);
    const reflectors = (namespaces ?? [null]).flatMap((namespace) => this.#reflectors(namespace));
    const plans = (namespaces ?? [null]).map((namespace) => this.#planReflector(namespace));
    for (const reflector of [...reflectors, ...plans]) reflector.start(watching);
    // Runs of this cluster do not wait for others.
    const elsewhere = this.#remotes?.watch().catch((error: unknown) => {
      if (!watching.aborted) this.#log.error('Other clusters cannot be watched', { error });
    });
    try {
      await Promise.all(reflectors.map((reflector) => reflector.synced()));
      this.#ready = true;
      this.#log.info('All runs are known', { runs: this.#jobs.size });
      // Each of them may have locks: nothing is given out before that is known.
      for (const job of this.#jobs.values()) if (isOpen(job)) this.#locks.expect(runId(job));
      for (const job of this.#jobs.values()) this.#works.consider(job);
      this.#remotes?.tidy();
      const all = namespaces ?? [null];
      const told = this.#notifications.start(all);
      await Promise.all([told, this.#audit(watching), sweep(this.#context, all, watching)]);
    } catch (error) {
      if (!watching.aborted) throw error;
    } finally {
      await Promise.all([elsewhere, ...[...reflectors, ...plans].map((reflector) => reflector.stopped())]);
    }
  }

  /** Ends in good order: takes up nothing new, writes down what is known of each run, sends the events; in `limitMs` at most. */
  async close(limitMs = 5_000): Promise<void> {
    this.#ready = false;
    const limit = AbortSignal.timeout(limitMs);
    const written = this.#works.workers.map((worker) => worker.close());
    const flushed = Promise.all([...written, this.#notifications?.close()]);
    const late = new Promise<void>((resolve) => limit.addEventListener('abort', () => resolve(), { once: true }));
    await Promise.race([flushed, late]);
    this.#stop();
    await this.#events.flush(limit);
  }

  #stop(): void {
    this.#ready = false;
    this.#stopWatching.abort(new DOMException('the controller stops', 'AbortError'));
    this.#works.stop();
    this.#admission.stop();
  }

  #reflectors(namespace: string | null): readonly Reflector[] {
    return runReflectors(this.#options.client, namespace, {
      onJob: (job) => this.#jobChanged(job),
      onJobDeleted: (job) => this.#jobDeleted(job),
      onPod: (pod) => this.#stepChanged(pod),
      onPodDeleted: (pod) => this.#stepDeleted(pod),
      onError: (error) => this.#watchFailed(error),
    });
  }

  #planReflector(namespace: string | null): Pick<Reflector, 'start' | 'stopped'> {
    return planReflector(this.#options.client, namespace, {
      onPlan: (plan) => this.#notifications?.seePlan(plan),
      onPlanDeleted: (plan) => this.#notifications?.forgetPlan(plan),
      onError: (error) => this.#watchFailed(error),
    });
  }

  #watchFailed(error: unknown): void {
    this.#metrics.watchFailed();
    this.#log.warn('A watch failed and is resumed', { error });
  }

  #openRemotes(signal: AbortSignal): RemoteClusters | undefined {
    const { client, namespaces = [client.namespace], remoteClusters: clusters = [] } = this.#options;
    if (clusters.length === 0) return undefined;
    return new RemoteClusters({
      client,
      namespaces,
      clusters,
      clock: this.#clock,
      log: this.#log,
      timing: this.#timing,
      run: (key) => this.#jobs.get(key),
      work: (key) => this.#works.get(key),
      workers: () => this.#works.workers,
      signal,
    });
  }

  #jobChanged(job: Job): void {
    this.#notifications?.see(job);
    if (isStepHere(job)) this.#stepChanged(job);
    if (!isRun(job)) return;
    this.#jobs.set(keyOf(job), job);
    this.#admission.see(job);
    if (!isOpen(job)) this.#ended(job);
    this.#works.see(job);
    if (this.#ready) this.#works.consider(job);
  }

  #jobDeleted(job: Job): void {
    this.#notifications?.forget(job);
    if (isStepHere(job)) this.#stepDeleted(job);
    if (!isRun(job)) return;
    this.#jobs.delete(keyOf(job));
    this.#admission.forget(job);
    if (this.#ready) this.#remotes?.tidy();
    this.#ended(job);
    this.#works.forget(job);
  }

  /** A run has ended, or is gone: others get what it had. */
  #ended(job: Job): void {
    this.#locks.forget(runId(job));
    const next = this.#admission.ended(job);
    if (this.#ready) for (const each of next) this.#works.consider(each);
  }

  #stepChanged(object: Pod | Job): void {
    const run = this.#steps.put(object);
    if (run !== undefined) this.#works.get(run)?.worker.seeStep(object);
  }

  #stepDeleted(object: Pod | Job): void {
    const run = this.#steps.remove(object);
    if (run !== undefined) this.#works.get(run)?.worker.seeStepDeleted(object);
  }

  async #audit(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#clock.sleep(this.#timing.auditMs, signal);
      for (const worker of this.#works.workers) await worker.audit();
      this.#remotes?.tidy();
      // Those whose skipping or replacing failed have nobody else who looks at them again.
      for (const job of this.#jobs.values()) this.#works.consider(job);
    }
  }
}
