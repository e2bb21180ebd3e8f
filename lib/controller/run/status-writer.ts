import type { RunState } from '../../engine/record.ts';
import { isConflict, isInvalid, isNotFound } from '../../kube/errors.ts';
import { jobs } from '../../kube/resources.ts';
import { Coalescer } from '../coalescer.ts';
import { projectStatus, sameStatus, suspendedStatus, type Progress } from './job-status.ts';
import { isFinished, type Job, type JobStatus } from '../objects.ts';
import { backoffMs, type WorkerContext } from '../worker-context.ts';

/**
 * Writes the status of one run's Job: at once when it begins, then at most once a second, and at the end. It names no
 * version, so that whoever edits the Job is not in its way; it is the only writer of the status. The Job of a run with a
 * driver is Kubernetes' own to write, and is left alone.
 */
export class StatusWriter {
  readonly #context: WorkerContext;
  readonly #signal: AbortSignal;
  readonly #coalescer: Coalescer;
  #job: Job;
  #progress: Progress | undefined;

  constructor(context: WorkerContext, job: Job, signal: AbortSignal) {
    this.#context = context;
    this.#job = job;
    this.#signal = signal;
    const { clock, timing, log } = context;
    const onFailure = (error: unknown) => log.error('The status of a run cannot be written', { error });
    this.#coalescer = new Coalescer({
      work: () => this.#progressed(),
      gapMs: timing.statusGapMs,
      clock,
      signal,
      onFailure,
    });
  }

  /** The Job as the watch showed it. */
  see(job: Job): void {
    this.#job = job;
  }

  /** There is progress; it is written when it is time. */
  progress(progress: Progress): void {
    this.#progress = progress;
    this.#coalescer.request();
  }

  /** The run waits for its suspension to be taken back before it begins. */
  async suspended(): Promise<void> {
    await this.#write(() => suspendedStatus(this.#job.status, this.#context.clock.now()), 1);
  }

  /** Writes the end. Resolves when it is written, or the Job is gone. */
  async finish(progress: Progress): Promise<void> {
    this.#progress = progress;
    await this.#coalescer.flush();
    await this.#write(() => this.#projected(progress), Infinity);
  }

  /** Writes the end of a run that never began. */
  async refuse(message: string): Promise<void> {
    const now = this.#context.clock.now();
    const run: RunState = { phase: 'Failed', reason: 'InvalidRun', message, startedAt: now, finishedAt: now };
    await this.finish({ run, active: 0, done: 0, failed: 0, suspended: false });
  }

  async #progressed(): Promise<void> {
    const progress = this.#progress!;
    await this.#write(() => this.#projected(progress), 1);
  }

  #projected(progress: Progress): JobStatus {
    return projectStatus(this.#job.status, progress, this.#context.clock.now());
  }

  /** @param tries the next progress is as good as another try, but there is nothing after the end */
  async #write(status: () => JobStatus, tries: number): Promise<void> {
    const { clock, timing, log, mode } = this.#context;
    if (mode === 'driver') return;
    for (let failures = 1; ; failures++) {
      const next = status();
      if (isFinished(this.#job) || sameStatus(this.#job.status, next)) return;
      try {
        return await this.#patch(next);
      } catch (error) {
        this.#signal.throwIfAborted();
        if (isNotFound(error)) return;
        log.warn('The status of a run could not be written', { error, try: failures });
        if (isConflict(error) || isInvalid(error)) await this.#look();
        if (failures >= tries) return;
        await clock.sleep(backoffMs(failures, timing.maxBackoffMs), this.#signal);
      }
    }
  }

  async #patch(status: JobStatus): Promise<void> {
    const { client } = this.#context;
    const { name, namespace, uid } = this.#job.metadata;
    const options = {
      type: 'merge',
      subresource: 'status',
      namespace,
      signal: this.#signal,
      repeatable: true,
    } as const;
    // The uid keeps the patch from a later Job of the same name.
    this.#job = await client.patch<Job>(jobs, name, { metadata: { uid }, status }, options);
  }

  async #look(): Promise<void> {
    const { name, namespace, uid } = this.#job.metadata;
    const found = await this.#context.client
      .get<Job>(jobs, name, { namespace, signal: this.#signal })
      .catch(() => undefined);
    if (found?.metadata.uid === uid && found) this.#job = found;
  }
}
