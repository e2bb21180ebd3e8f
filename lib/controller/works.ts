import type { LockTable } from '../engine/lock-table.ts';
import type { Clock } from '../kube/clock.ts';
import { keyOf } from '../kube/objects.ts';
import type { Admission } from './schedules/admission.ts';
import type { Metrics } from './metrics.ts';
import { isOpen, type Job } from './objects.ts';
import { runId } from './run-job.ts';
import type { RunWorker, WorkerCallbacks } from './run/run-worker.ts';
import { backoffMs } from './worker-context.ts';

/** A run that is being worked on, or was and is not yet seen to be finished. */
export interface Work {
  /** Of the run's Job. */
  readonly uid: string;
  readonly worker: RunWorker;
}

/** What {@link Works} acts through. */
export interface WorksOptions {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly locks: LockTable;
  readonly admission: Pick<Admission, 'verdict'>;
  /** The Job of a run as it was seen last, by the run's key. */
  readonly job: (key: string) => Job | undefined;
  readonly workerOf: (job: Job, callbacks: WorkerCallbacks) => RunWorker;
  /** When nothing more is taken up. */
  readonly signal: AbortSignal;
}

/** The runs that are worked on, by their keys `namespace/name`, and those that are made ready for their time. */
export class Works {
  readonly #options: WorksOptions;
  readonly #works = new Map<string, Work>();
  /** Workers of runs that wait for their time, by the uid of the Job. */
  readonly #prepared = new Map<string, RunWorker>();
  /** How often a run was deposed, by the uid of its Job. */
  readonly #setbacks = new Map<string, number>();

  constructor(options: WorksOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#works.size;
  }

  /** Of the runs that are worked on, as they are now. */
  get workers(): readonly RunWorker[] {
    return [...this.#works.values()].map(({ worker }) => worker);
  }

  get(key: string): Work | undefined {
    return this.#works.get(key);
  }

  /** The Job of a run has changed: its worker is told, or let go when there is nothing left for it to do. */
  see(job: Job): void {
    const key = keyOf(job);
    const work = this.#works.get(key);
    if (work?.uid === job.metadata.uid && isOpen(job)) work?.worker.see(job);
    else this.#release(key);
  }

  /** The Job of a run is gone. */
  forget(job: Job): void {
    const [key, uid] = [keyOf(job), job.metadata.uid ?? ''];
    this.#setbacks.delete(uid);
    this.#prepared.get(uid)?.stop();
    this.#prepared.delete(uid);
    if (this.#works.get(key)?.uid === uid) this.#release(key);
  }

  /** Takes up a run, if there is something to be done about it. */
  consider(job: Job): void {
    const { admission, locks, metrics } = this.#options;
    const key = keyOf(job);
    if (!isOpen(job) || this.#works.has(key)) return;
    const { uid = '' } = job.metadata;
    const verdict = admission.verdict(job);
    if (verdict === 'early') this.#prepare(job);
    // One that has not begun has no locks.
    if (verdict !== 'begins') return locks.known(runId(job));
    const worker = this.#prepared.get(uid) ?? this.#workerOf(job);
    this.#prepared.delete(uid);
    worker.see(job);
    this.#works.set(key, { uid, worker });
    metrics.runStarted();
    worker.start();
  }

  /** Stops all of them at once; the signal of the options is to be aborted before. */
  stop(): void {
    for (const key of [...this.#works.keys()]) this.#release(key);
    for (const worker of this.#prepared.values()) worker.stop();
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
    const { workerOf, locks } = this.#options;
    return workerOf(job, {
      // It stays until the watch shows the end: a state of the Job from before would begin it again.
      onFinished: () => locks.forget(runId(job)),
      onDeposed: () => void this.#again(keyOf(job), job.metadata.uid ?? ''),
    });
  }

  /** Takes up a run afresh whose worker was deposed; not at once, for there may be another controller. */
  async #again(key: string, uid: string): Promise<void> {
    const { clock, job: jobOf, signal } = this.#options;
    const setbacks = (this.#setbacks.get(uid) ?? 0) + 1;
    this.#setbacks.set(uid, setbacks);
    await clock.sleep(backoffMs(setbacks + 2, 60_000), signal).catch(() => undefined);
    const job = jobOf(key);
    if (signal.aborted || this.#works.get(key)?.uid !== uid || !job) return;
    this.#release(key);
    this.consider(job);
  }

  #release(key: string): void {
    const work = this.#works.get(key);
    if (work === undefined) return;
    // One that has just written the end itself has but to hear that it is written.
    if (!work.worker.ending || this.#options.signal.aborted) work.worker.stop();
    this.#works.delete(key);
    this.#options.metrics.runReleased();
  }
}
