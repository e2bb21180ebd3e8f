import { LockTable, type StepLimits } from '../engine/lock-table.ts';
import { systemClock, type Clock } from '../kube/clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { EventRecorder } from '../kube/events.ts';
import { keyOf } from '../kube/objects.ts';
import type { Reflector } from '../kube/reflector.ts';
import { Admission } from './admission.ts';
import { GraphStore } from './graph-store.ts';
import { silentLogger, type Logger } from './log.ts';
import { noMetrics, type Metrics } from './metrics.ts';
import { isOpen, type Job, type Pod } from './objects.ts';
import { RemoteClusters } from './remote-clusters.ts';
import type { RemoteCluster } from './remote-watch.ts';
import { ResultCache } from './result-cache.ts';
import type { Notifier } from './notifications/notifier.ts';
import { openNotifier } from './notifications/open-notifier.ts';
import { isRun, isStepHere, runId } from './run-job.ts';
import { runReflectors } from './run-watch.ts';
import { RunWorker } from './run-worker.ts';
import { StepIndex } from './step-index.ts';
import { sweep } from './sweep.ts';
import { backoffMs, defaultTiming, type Timing, type WorkerContext } from './worker-context.ts';

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

/** A run that is being worked on, or was and is not yet seen to be finished. */
interface Work {
  readonly uid: string;
  readonly worker: RunWorker;
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
  readonly #works = new Map<string, Work>();
  readonly #jobs = new Map<string, Job>();
  readonly #steps = new StepIndex();
  readonly #locks: LockTable;
  readonly #admission: Admission;
  /** Workers of runs that wait for their time, by the uid of the Job. */
  readonly #prepared = new Map<string, RunWorker>();
  /** How often a run was deposed, by the uid of its Job. */
  readonly #setbacks = new Map<string, number>();
  readonly #stopWatching = new AbortController();
  #context: WorkerContext | undefined;
  #remotes: RemoteClusters | undefined;
  #notifier: Notifier | undefined;
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
      onNews: (job) => this.#consider(this.#jobs.get(keyOf(job)) ?? job),
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
    this.#notifier = openNotifier(this.#context, client, watching);
    const reflectors = (namespaces ?? [null]).flatMap((namespace) => this.#reflectors(namespace));
    for (const reflector of reflectors) reflector.start(watching);
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
      for (const job of this.#jobs.values()) this.#consider(job);
      this.#notifier.start();
      this.#remotes?.tidy();
      await Promise.all([this.#audit(watching), sweep(this.#context, namespaces ?? [null], watching)]);
    } catch (error) {
      if (!watching.aborted) throw error;
    } finally {
      await Promise.all([elsewhere, ...reflectors.map((reflector) => reflector.stopped())]);
    }
  }

  /** Ends in good order: takes up nothing new, writes down what is known of each run, sends the events; in `limitMs` at most. */
  async close(limitMs = 5_000): Promise<void> {
    this.#ready = false;
    const limit = AbortSignal.timeout(limitMs);
    const written = [...this.#works.values()].map(({ worker }) => worker.close());
    const flushed = Promise.all([...written, this.#notifier?.close()]);
    const late = new Promise<void>((resolve) => limit.addEventListener('abort', () => resolve(), { once: true }));
    await Promise.race([flushed, late]);
    this.#stop();
    await this.#events.flush(limit);
  }

  #stop(): void {
    this.#ready = false;
    this.#stopWatching.abort(new DOMException('the controller stops', 'AbortError'));
    for (const key of [...this.#works.keys()]) this.#release(key);
    this.#admission.stop();
    for (const worker of this.#prepared.values()) worker.stop();
  }

  #reflectors(namespace: string | null): readonly Reflector[] {
    return runReflectors(this.#options.client, namespace, {
      onJob: (job) => this.#jobChanged(job),
      onJobDeleted: (job) => this.#jobDeleted(job),
      onPod: (pod) => this.#stepChanged(pod),
      onPodDeleted: (pod) => this.#stepDeleted(pod),
      onError: (error) => {
        this.#metrics.watchFailed();
        this.#log.warn('A watch failed and is resumed', { error });
      },
    });
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
      workers: () => [...this.#works.values()].map(({ worker }) => worker),
      signal,
    });
  }

  #jobChanged(job: Job): void {
    this.#notifier?.see(job);
    if (isStepHere(job)) this.#stepChanged(job);
    if (!isRun(job)) return;
    const key = keyOf(job);
    this.#jobs.set(key, job);
    this.#admission.see(job);
    if (!isOpen(job)) this.#ended(job);
    const work = this.#works.get(key);
    if (work && work.uid !== job.metadata.uid) this.#release(key);
    else if (work && !isOpen(job)) this.#release(key);
    else if (work) return work.worker.see(job);
    if (this.#ready) this.#consider(job);
  }

  #jobDeleted(job: Job): void {
    this.#notifier?.forget(job);
    if (isStepHere(job)) this.#stepDeleted(job);
    if (!isRun(job)) return;
    const key = keyOf(job);
    this.#jobs.delete(key);
    this.#admission.forget(job);
    if (this.#ready) this.#remotes?.tidy();
    this.#ended(job);
    this.#setbacks.delete(job.metadata.uid ?? '');
    this.#prepared.get(job.metadata.uid ?? '')?.stop();
    this.#prepared.delete(job.metadata.uid ?? '');
    if (this.#works.get(key)?.uid === job.metadata.uid) this.#release(key);
  }

  /** A run has ended, or is gone: others get what it had. */
  #ended(job: Job): void {
    this.#locks.forget(runId(job));
    const next = this.#admission.ended(job);
    if (this.#ready) for (const each of next) this.#consider(each);
  }

  #stepChanged(object: Pod | Job): void {
    const run = this.#steps.put(object);
    if (run !== undefined) this.#works.get(run)?.worker.seeStep(object);
  }

  #stepDeleted(object: Pod | Job): void {
    const run = this.#steps.remove(object);
    if (run !== undefined) this.#works.get(run)?.worker.seeStepDeleted(object);
  }

  /** Takes up a run, if there is something to be done about it. */
  #consider(job: Job): void {
    const key = keyOf(job);
    if (!isOpen(job) || this.#works.has(key)) return;
    const { uid = '' } = job.metadata;
    const verdict = this.#admission.verdict(job);
    if (verdict === 'early') this.#prepare(job);
    // One that has not begun has no locks.
    if (verdict !== 'begins') return this.#locks.known(runId(job));
    const worker = this.#prepared.get(uid) ?? this.#workerOf(job);
    this.#prepared.delete(uid);
    worker.see(job);
    this.#works.set(key, { uid, worker });
    this.#metrics.runStarted();
    worker.start();
  }

  /** A run that waits for its time needs nothing but to begin when it comes. */
  #prepare(job: Job): void {
    const { uid = '' } = job.metadata;
    if (this.#prepared.has(uid)) return;
    const worker = this.#workerOf(job);
    this.#prepared.set(uid, worker);
    worker.prepare();
  }

  #workerOf(job: Job): RunWorker {
    const [key, uid] = [keyOf(job), job.metadata.uid ?? ''];
    return new RunWorker(this.#context!, job, () => this.#steps.of(key), {
      // It stays until the watch shows the end: a state of the Job from before would begin it again.
      onFinished: () => this.#locks.forget(runId(job)),
      onDeposed: () => void this.#again(key, uid),
    });
  }

  /** Takes up a run afresh whose worker was deposed; not at once, for there may be another controller. */
  async #again(key: string, uid: string): Promise<void> {
    const setbacks = (this.#setbacks.get(uid) ?? 0) + 1;
    this.#setbacks.set(uid, setbacks);
    await this.#clock.sleep(backoffMs(setbacks + 2, 60_000), this.#stopWatching.signal).catch(() => undefined);
    const job = this.#jobs.get(key);
    if (this.#stopWatching.signal.aborted || this.#works.get(key)?.uid !== uid || !job) return;
    this.#release(key);
    this.#consider(job);
  }

  #release(key: string): void {
    const worker = this.#works.get(key)?.worker;
    // One that has just written the end itself has but to hear that it is written.
    if (worker?.ending !== true || this.#stopWatching.signal.aborted) worker?.stop();
    if (this.#works.delete(key)) this.#metrics.runReleased();
  }

  async #audit(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#clock.sleep(this.#timing.auditMs, signal);
      for (const { worker } of [...this.#works.values()]) await worker.audit();
      this.#remotes?.tidy();
      // Those whose skipping or replacing failed have nobody else who looks at them again.
      for (const job of this.#jobs.values()) this.#consider(job);
    }
  }
}
