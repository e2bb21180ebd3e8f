import { annotations, labels } from '../graph/labels.ts';
import { isAlreadyExists, isNotFound, KubeError } from '../kube/errors.ts';
import type { Clock } from '../kube/clock.ts';
import type { EventNote } from '../kube/events.ts';
import type { KubeObject } from '../kube/objects.ts';
import { cronJobs, jobs } from '../kube/resources.ts';
import type { Logger } from './log.ts';
import type { Job } from './objects.ts';
import { plannedRun, plannedRunName, type PlanObject } from './planned-run.ts';
import { pruneHistory } from './plan-history.ts';
import { ticksOf } from './ticks.ts';
import type { RunClient } from './worker-context.ts';

/** What a {@link Ticker} acts through. */
export interface TickerOptions {
  readonly client: RunClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tell: (object: KubeObject, note: EventNote) => void;
  /** The Jobs of a plan that are known. */
  readonly runsOf: (plan: string, namespace: string | undefined) => readonly Job[];
}

/** A run that could not be started by then is skipped, in milliseconds: the next one is near. */
const LATE_MS = 5_000;

/** The API server asks for a second only once it is overloaded; a run that is so late is not late for good. */
const RETRY_MS = 250;

/**
 * Starts the runs of one minute of a plan whose interval is below a minute. All that it does follows from the Job that the plan's CronJob
 * made for the minute: a controller that takes over goes on where the other one was, for a run that exists is not made again.
 */
export class Ticker {
  readonly #options: TickerOptions;
  readonly #job: Job;
  readonly #stop = new AbortController();

  constructor(options: TickerOptions, job: Job) {
    this.#options = options;
    this.#job = job;
  }

  get #every(): number {
    return Number(this.#job.metadata.annotations![annotations.every]);
  }

  get stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  stop(): void {
    this.#stop.abort(new DOMException('the minute is no longer worked on', 'AbortError'));
  }

  /** Works until the minute is over, then deletes its Job. */
  async run(): Promise<void> {
    const { client, clock } = this.#options;
    const { signal } = this.#stop;
    const { name, namespace, uid } = this.#job.metadata;
    const owner = this.#job.metadata.ownerReferences?.find(({ kind }) => kind === 'CronJob')?.name;
    const plan = await client.get<PlanObject>(cronJobs, owner ?? this.#job.metadata.labels![labels.plan]!, {
      namespace,
      signal,
    });
    for (const tick of ticksOf(this.#job)) {
      const wait = tick - clock.now();
      if (wait > 0) await clock.sleep(wait, signal);
      await this.#tick(plan, tick);
    }
    const { name: planName } = plan.metadata;
    await pruneHistory(this.#options, plan, this.#options.runsOf(planName, namespace));
    await client
      .delete(jobs, name, { namespace, uid, propagationPolicy: 'Background', signal })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  }

  async #tick(plan: PlanObject, tick: number): Promise<void> {
    const { client, clock, tell, runsOf } = this.#options;
    const name = plannedRunName(plan.metadata.name, tick, this.#every);
    const known = runsOf(plan.metadata.name, plan.metadata.namespace).some(({ metadata }) => metadata.name === name);
    if (known) return;
    let failure: unknown;
    while (clock.now() - tick < LATE_MS)
      try {
        await client.create(jobs, plannedRun(plan, tick, this.#every), { signal: this.#stop.signal });
        return;
      } catch (error) {
        if (isAlreadyExists(error)) return;
        this.#stop.signal.throwIfAborted();
        failure = error;
        await clock.sleep(RETRY_MS, this.#stop.signal);
      }
    const why = failure instanceof KubeError ? `: ${failure.message}` : '';
    const message = `Skipped the run of ${new Date(tick).toISOString()}: it could not be started on time${why}`;
    tell(plan, { type: 'Warning', reason: 'RunSkipped', message });
  }
}
