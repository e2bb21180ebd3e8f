import { annotations, labels } from '../../graph/labels.ts';
import type { SkippedRun } from '../../graph/plan-record.ts';
import { isAlreadyExists, isNotFound, KubeError } from '../../kube/errors.ts';
import type { Clock } from '../../kube/clock.ts';
import type { EventNote } from '../../kube/events.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { cronJobs, jobs } from '../../kube/resources.ts';
import { scheduledAt } from '../../runs/run-kinds.ts';
import { unitHash } from '../../values/hash.ts';
import type { Logger } from '../log.ts';
import type { Job } from '../objects.ts';
import { plannedRun, plannedRunName, type PlanObject } from './planned-run.ts';
import { pruneHistory } from './plan-history.ts';
import { ticksOf, windowOf } from './ticks.ts';
import type { RunClient } from '../worker-context.ts';

/** What a {@link Ticker} acts through. */
export interface TickerOptions {
  readonly client: RunClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tell: (object: KubeObject, note: EventNote) => void;
  /** Notes that a run was skipped. */
  readonly skipped: (plan: KubeObject, run: SkippedRun) => void;
  /** The Jobs of a plan that are known. */
  readonly runsOf: (plan: string, namespace: string | undefined) => readonly Job[];
}

/**
 * The Job of a run is made so long before the run is to begin, in milliseconds; each plan's at another moment, so that those of many plans that
 * begin together are not all made at once.
 */
const AHEAD_MS = { least: 1_500, most: 3_500 };

/** How late a run may be where the plan has no starting deadline, in seconds. */
const LATE_S = 60;

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
    const plan = await this.#plan();
    const { least, most } = AHEAD_MS;
    const ahead = least + unitHash(plan.metadata.uid!) * (most - least);
    // One after the other, so that those that are late begin in their order.
    for (const tick of ticksOf(this.#job)) {
      const wait = tick - ahead - clock.now();
      if (wait > 0) await clock.sleep(wait, signal);
      await this.#tick(plan, tick);
    }
    await client
      .delete(jobs, name, { namespace, uid, propagationPolicy: 'Background', signal })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    // Not before: as long as its Job is there, a run that is not there is made.
    const { to } = windowOf(this.#job);
    const runs = this.#options.runsOf(plan.metadata.name, namespace);
    await pruneHistory(
      this.#options,
      plan,
      runs.filter((run) => (scheduledAt(run) ?? to) <= to),
    );
  }

  #plan(): Promise<PlanObject> {
    const { metadata } = this.#job;
    const { namespace } = metadata;
    const owner = metadata.ownerReferences?.find(({ kind }) => kind === 'CronJob')?.name;
    const { signal } = this.#stop;
    return this.#options.client.get<PlanObject>(cronJobs, owner ?? metadata.labels![labels.plan]!, {
      namespace,
      signal,
    });
  }

  /** Makes the run of a time, unless it is there or too late for it. */
  async #tick(plan: PlanObject, tick: number): Promise<void> {
    const { clock, tell, skipped } = this.#options;
    if (this.#isThere(plan, tick)) return;
    let failure: unknown;
    while (clock.now() - tick < this.#lateMs(plan))
      try {
        return await this.#make(tick);
      } catch (error) {
        this.#stop.signal.throwIfAborted();
        failure = error;
        await clock.sleep(RETRY_MS, this.#stop.signal);
      }
    const why = failure instanceof KubeError ? `: ${failure.message}` : '';
    const message = `it could not be started on time${why}`;
    const told = `Skipped the run of ${new Date(tick).toISOString()}: ${message}`;
    tell(plan, { type: 'Warning', reason: 'RunSkipped', message: told });
    const name = plannedRunName(plan.metadata.name, tick, this.#every);
    skipped(plan, { name, time: tick, reason: 'TooLate', message });
  }

  async #make(tick: number): Promise<void> {
    // It may have been suspended or paused since the minute began.
    const plan = await this.#plan();
    if (plan.spec.suspend === true || this.#isThere(plan, tick)) return;
    const run = plannedRun(plan, tick, this.#every);
    await this.#options.client.create(jobs, run, { signal: this.#stop.signal }).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
    });
  }

  #isThere({ metadata: { name, namespace } }: PlanObject, tick: number): boolean {
    const run = plannedRunName(name, tick, this.#every);
    return this.#options.runsOf(name, namespace).some(({ metadata }) => metadata.name === run);
  }

  /** How late a run may be. One that may have come, ended and gone since is not made again. */
  #lateMs({ spec }: PlanObject): number {
    const all = this.#job.metadata.annotations?.[annotations.catchUp] === 'all';
    const { startingDeadlineSeconds: deadline = all ? Infinity : LATE_S } = spec;
    const { ttlSecondsAfterFinished: ttl } = spec.jobTemplate.spec;
    return Math.min(deadline, typeof ttl === 'number' ? ttl : Infinity) * 1000;
  }
}
