import { annotations, CATCH_UP_LIMIT, SCHEDULED_AT } from '../../graph/labels.ts';
import { kickoffText } from '../../graph/kickoff.ts';
import type { PlanRecord } from '../../graph/plan-record.ts';
import { scheduleText, takenOverThrough } from '../../graph/taken-over.ts';
import { firesAt, schedulesOf, timetableOf } from '../../graph/timetable.ts';
import type { Clock } from '../../kube/clock.ts';
import { isAlreadyExists, isNotFound } from '../../kube/errors.ts';
import type { EventNote } from '../../kube/events.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { cronJobs, jobs } from '../../kube/resources.ts';
import { scheduledAt } from '../../runs/run-kinds.ts';
import type { Logger } from '../log.ts';
import { lastChanged, missedTimes } from './missed-times.ts';
import type { Job } from '../objects.ts';
import { pruneHistory } from './plan-history.ts';
import type { PlanRecords } from './plan-record.ts';
import { plannedRun, plannedRunName, type PlanObject } from './planned-run.ts';
import { firstWindow, windowEnd, windowOf } from './ticks.ts';
import { planNameOf, planOf } from './turn-rules.ts';
import type { RunClient } from '../worker-context.ts';

/** Between two tries, in milliseconds. */
const RETRY_MS = 2_000;

/** What {@link CatchUps} act through. */
export interface CatchUpOptions {
  readonly client: RunClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tell: (object: KubeObject, note: EventNote) => void;
  readonly records: PlanRecords;
  /** The Jobs of a plan that are known. */
  readonly runsOf: (plan: string, namespace: string | undefined) => readonly Job[];
  /** Runs of the plan may begin that could not before. */
  readonly onSettled: (plan: string, namespace: string | undefined) => void;
}

/**
 * Makes up for times that a plan missed, where Kubernetes cannot: all of them, or the last one of several schedules. A Job that its CronJob made
 * tells that there may be some; it and all runs that are made up for wait until what was missed is there and written down, so
 * that none is made again after it has ended.
 */
export class CatchUps {
  readonly #options: CatchUpOptions;
  readonly #stop = new AbortController();
  /** Up to when the times of a plan are dealt with. */
  readonly #through = new Map<string, number>();
  readonly #busy = new Set<string>();
  /** To which time a Job was moved, by its uid, until that is seen. */
  readonly #moved = new Map<string, number>();

  constructor(options: CatchUpOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#stop.abort(new DOMException('the controller stops', 'AbortError'));
  }

  /** Whether all that comes before a run is there, and it is a run. If not, that is seen to. */
  admits(job: Job): boolean {
    const { annotations: notes = {} } = job.metadata;
    const time = scheduledAt(job);
    if (time === undefined || (notes[annotations.catchUp] ?? notes[annotations.schedules]) === undefined) return true;
    const { uid = '' } = job.metadata;
    if ((this.#moved.get(uid) ?? time) !== time) return false;
    this.#moved.delete(uid);
    const plan = planOf(job);
    const [due, settled] = [isDue(job, time), (this.#through.get(plan) ?? -Infinity) >= time];
    if (due && (settled || notes[annotations.catchUp] === undefined)) return true;
    if (!this.#busy.has(plan)) {
      this.#busy.add(plan);
      void this.#see(plan, job, settled);
    }
    return false;
  }

  async #see(plan: string, job: Job, settled: boolean): Promise<void> {
    const { clock, log, onSettled } = this.#options;
    const { name, namespace } = job.metadata;
    const { signal } = this.#stop;
    try {
      if (settled || job.metadata.annotations?.[annotations.catchUp] === undefined) await this.#drop(job);
      else await this.#settle(plan, job);
    } catch (error) {
      if (!signal.aborted) log.warn('What a plan missed could not be made up for', { job: name, error });
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
    this.#busy.delete(plan);
    if (!signal.aborted) onSettled(planNameOf(job), namespace);
  }

  async #settle(key: string, job: Job): Promise<void> {
    const { client, clock, records, tell } = this.#options;
    const { signal } = this.#stop;
    const { namespace } = job.metadata;
    const plan = await client.get<PlanObject>(cronJobs, planNameOf(job), { namespace, signal });
    const record = await records.read(plan);
    const timetable = timetableOf(plan.spec);
    const schedule = scheduleText(plan);
    const window = windowOf(job);
    const since = dealtWith(plan, record);
    if (since < window.to) {
      const { startingDeadlineSeconds: deadline } = plan.spec;
      const notBefore = deadline === undefined ? undefined : clock.now() - deadline * 1000;
      const { times, leftOut } = missedTimes(timetable, { since, before: window.from, notBefore });
      if (job.metadata.annotations![annotations.catchUp] === 'all') {
        if (leftOut !== undefined) {
          const message = `more than ${CATCH_UP_LIMIT} times were missed: it and those before it are not made up for`;
          const told = `Skipped the run of ${new Date(leftOut).toISOString()}: ${message}`;
          tell(plan, { type: 'Warning', reason: 'RunSkipped', message: told });
          const name = plannedRunName(plan.metadata.name, leftOut, timetable.every);
          records.skipped(plan, { name, time: leftOut, reason: 'TooManyMissed', message });
        }
        for (const time of times) await this.#make(plan, time, timetable.every);
      } else if (times.length > 0 && !isDue(job, scheduledAt(job)!)) await this.#moveTo(job, times.at(-1)!);
      await records.change(plan, (now) => ({ ...now, through: window.to, schedule }));
    }
    this.#through.set(key, Math.max(since, window.to));
    // Below a minute it is done when the minute is over.
    if (timetable.every === undefined)
      await pruneHistory(this.#options, plan, this.#options.runsOf(plan.metadata.name, namespace));
  }

  async #make(plan: PlanObject, time: number, every: number | undefined): Promise<void> {
    const { client, runsOf } = this.#options;
    const name = plannedRunName(plan.metadata.name, time, every);
    if (runsOf(plan.metadata.name, plan.metadata.namespace).some(({ metadata }) => metadata.name === name)) return;
    try {
      const run = plannedRun(plan, time, every, { [annotations.caughtUp]: 'true' });
      await client.create(jobs, run, { signal: this.#stop.signal });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }

  /** The Job of a time that is none becomes the run of the last one that was missed, unless that has one. */
  async #moveTo(job: Job, time: number): Promise<void> {
    const { name, namespace, uid = '' } = job.metadata;
    if (this.#options.runsOf(planNameOf(job), namespace).some((each) => scheduledAt(each) === time)) return;
    const patch = { metadata: { uid, annotations: { [SCHEDULED_AT]: kickoffText(time) } } };
    await this.#options.client.patch(jobs, name, patch, { type: 'merge', namespace, repeatable: true });
    this.#moved.set(uid, time);
  }

  /** What the CronJob fires beside the schedules of its plan is no run, and nobody misses it. */
  async #drop({ metadata: { name, namespace, uid } }: Job): Promise<void> {
    const options = { namespace, uid, propagationPolicy: 'Background', signal: this.#stop.signal } as const;
    await this.#options.client.delete(jobs, name, options).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}

/** Up to when the times of a plan are dealt with, here or on the cluster that it took over from. */
function dealtWith(plan: PlanObject, { through, schedule }: PlanRecord): number {
  const timetable = timetableOf(plan.spec);
  const handed = takenOverThrough(plan);
  const known = [
    ...(through !== undefined && schedule === scheduleText(plan) ? [through] : []),
    ...(handed === undefined ? [] : [windowEnd(handed, timetable)]),
  ];
  return known.length > 0 ? Math.max(...known) : firstWindow(lastChanged(plan.metadata), timetable);
}

/** Whether a schedule of the plan fires at the time of a Job. */
function isDue({ metadata }: Job, time: number): boolean {
  const schedules = schedulesOf(metadata.annotations ?? {});
  return schedules === undefined || firesAt(schedules, time);
}
