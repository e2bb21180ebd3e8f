import type { Clock } from '../../kube/clock.ts';
import { scheduledAt } from '../../runs/run-kinds.ts';
import type { Job } from '../objects.ts';
import { isTicked } from './ticks.ts';

/** Keeps runs whose Jobs were made ahead of their time from beginning before it. */
export class DueTimes {
  readonly #clock: Clock;
  readonly #onDue: (job: Job) => void;
  readonly #waiting = new Map<string, AbortController>();

  constructor(clock: Clock, onDue: (job: Job) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Whether the time of a run has come. If not, that is told when it comes. */
  admits(job: Job): boolean {
    // Kubernetes makes none before its time; its clock may be ahead of ours.
    if (!isTicked(job)) return true;
    const wait = (scheduledAt(job) ?? -Infinity) - this.#clock.now();
    if (wait <= 0) return true;
    const { uid = '' } = job.metadata;
    if (!this.#waiting.has(uid)) void this.#wait(job, uid, wait);
    return false;
  }

  /** The run is gone. */
  forget({ metadata: { uid = '' } }: Job): void {
    this.#waiting.get(uid)?.abort();
  }

  stop(): void {
    for (const each of this.#waiting.values()) each.abort();
  }

  async #wait(job: Job, uid: string, ms: number): Promise<void> {
    const stop = new AbortController();
    this.#waiting.set(uid, stop);
    await this.#clock.sleep(ms, stop.signal).catch(() => undefined);
    this.#waiting.delete(uid);
    if (!stop.signal.aborted) this.#onDue(job);
  }
}
