import { LockTable } from '../engine/lock-table.ts';
import { labels, MANAGED_BY } from '../graph/labels.ts';
import { systemClock } from '../kube/clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { EventRecorder } from '../kube/events.ts';
import type { KubeObject } from '../kube/objects.ts';
import { Reflector } from '../kube/reflector.ts';
import type { ReflectorOptions } from '../kube/reflector-options.ts';
import { jobs, pods, type Resource } from '../kube/resources.ts';
import { GraphStore } from './graph-store.ts';
import type { Logger } from './log.ts';
import { noMetrics } from './metrics.ts';
import { isFinished, type Job, type Pod } from './objects.ts';
import { ResultCache } from './result-cache.ts';
import { RunWorker } from './run/run-worker.ts';
import { StepIndex } from './step-index.ts';
import { slimJob, slimPod } from './transform.ts';
import { defaultTiming, type Timing } from './worker-context.ts';

/** Which run a driver sequences. */
export interface DriverOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** The run's Job. */
  readonly job: string;
  readonly log: Logger;
  readonly timing?: Partial<Timing>;
}

/** How a driver ended. `interrupted`: the run goes on, with another driver. */
export type DriverResult = 'succeeded' | 'failed' | 'interrupted';

/**
 * Sequences one run from within its own pod, where no controller does. Kubernetes keeps the Job's status, by the exit code
 * of this; a driver that is replaced goes on from the record and the pods, as a controller does.
 */
export class Driver {
  readonly #options: DriverOptions;
  readonly #events: EventRecorder;
  readonly #stop = new AbortController();
  readonly #steps = new StepIndex();
  readonly #result = Promise.withResolvers<DriverResult>();
  #job: Job | undefined;
  #worker: RunWorker | undefined;

  constructor(options: DriverOptions) {
    this.#options = options;
    const onError = (error: unknown) => options.log.warn('An event could not be written', { error });
    this.#events = new EventRecorder(options.client, { component: 'cdk8s-workflows', onError });
  }

  /** Works until the run has ended, or the signal is aborted: then what is known is written down for the next driver. */
  async run(signal: AbortSignal): Promise<DriverResult> {
    const { client, job } = this.#options;
    const interrupt = () => void this.#interrupt();
    signal.addEventListener('abort', interrupt, { once: true });
    if (signal.aborted) return 'interrupted';
    const run = `${labels.run}=${job}`;
    const stop = this.#stop.signal;
    const reflectors = [
      this.#reflector<Job>(jobs, {
        fieldSelector: `metadata.name=${job}`,
        transform: slimJob,
        onChange: (own) => this.#jobChanged(own),
        onDelete: () => this.#result.resolve('failed'),
      }),
      this.#reflector<Job>(jobs, {
        labelSelector: `${labels.managedBy}=${MANAGED_BY},${run}`,
        transform: slimJob,
        ...this.#stepHandlers,
      }),
      this.#reflector<Pod>(pods, {
        labelSelector: `${labels.managedBy}=${MANAGED_BY},${run}`,
        transform: slimPod,
        ...this.#stepHandlers,
      }),
    ];
    for (const reflector of reflectors) reflector.start(stop);
    try {
      await Promise.race([Promise.all(reflectors.map((reflector) => reflector.synced())), this.#result.promise]);
      if (!this.#job) this.#fail('there is no such Job');
      else if (isFinished(this.#job)) this.#fail('its Job is finished');
      else this.#begin(new GraphStore(client, stop));
      const audit = setInterval(() => void this.#worker?.audit(), defaultTiming.auditMs);
      const result = await this.#result.promise;
      clearInterval(audit);
      return result;
    } finally {
      signal.removeEventListener('abort', interrupt);
      await this.#events.flush(AbortSignal.timeout(5_000));
      this.#worker?.stop();
      this.#stop.abort();
      await Promise.all(reflectors.map((reflector) => reflector.stopped()));
    }
  }

  #begin(graphs: GraphStore): void {
    const { client, log, timing } = this.#options;
    const job = this.#job!;
    const run = `${job.metadata.namespace}/${job.metadata.name}`;
    const context = {
      client,
      graphs,
      clock: systemClock,
      log,
      metrics: noMetrics,
      mode: 'driver' as const,
      tell: (about: Job, note: Parameters<EventRecorder['record']>[1]) => this.#events.record(about, note),
      timing: { ...defaultTiming, ...timing },
      locks: new LockTable(),
      results: new ResultCache(client, log),
    };
    this.#worker = new RunWorker(context, job, () => this.#steps.of(run), {
      onFinished: (phase) => this.#result.resolve(phase === 'Succeeded' ? 'succeeded' : 'failed'),
      // The next driver reads the record afresh.
      onDeposed: () => this.#result.resolve('interrupted'),
    });
    this.#worker.start();
  }

  readonly #stepHandlers = {
    onChange: (object: Pod | Job) => {
      if (this.#steps.put(object) !== undefined) this.#worker?.seeStep(object);
    },
    onDelete: (object: Pod | Job) => {
      if (this.#steps.remove(object) !== undefined) this.#worker?.seeStepDeleted(object);
    },
  };

  #reflector<T extends KubeObject>(of: Resource, options: ReflectorOptions<T>): Reflector<T> {
    const { client, namespace, log } = this.#options;
    const onError = (error: unknown) => log.warn('A watch failed and is resumed', { error });
    return new Reflector<T>(client, of, { namespace, onError, ...options });
  }

  #jobChanged(job: Job): void {
    this.#job = job;
    this.#worker?.see(job);
  }

  #fail(why: string): void {
    this.#options.log.error('There is nothing to do', { job: this.#options.job, why });
    this.#result.resolve('failed');
  }

  /** The pod is asked to end. If the run itself is to end, its steps must, for nobody comes after this driver. */
  async #interrupt(): Promise<void> {
    const { timeoutSeconds, endsAt } = deadlineOf(this.#job);
    const over = this.#job && (isFinished(this.#job) || (timeoutSeconds !== undefined && Date.now() >= endsAt));
    if (over && this.#worker) return this.#worker.expire();
    await this.#worker?.close();
    this.#result.resolve('interrupted');
  }
}

/** When the Job controller ends a driver for its run's time being over. It counts from its own start time, in whole seconds. */
function deadlineOf(job: Job | undefined): { readonly timeoutSeconds?: number; readonly endsAt: number } {
  const timeoutSeconds = job?.spec?.activeDeadlineSeconds;
  const start = Date.parse(job?.status?.startTime ?? '');
  return {
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    endsAt: start + (timeoutSeconds ?? 0) * 1000 - 1_000,
  };
}
