import type { NotificationDocument } from '../../graph/notifications.ts';
import type { Clock } from '../../kube/clock.ts';
import type { Problem } from '../../values/problems.ts';
import type { Job } from '../objects.ts';
import { Wakeup } from '../run/wakeup.ts';
import { readNotifications } from './read-notifications.ts';

/** A run that somebody wants to be told of. Whom and of what is what its Job said when it was first seen. */
export class ToldRun {
  job: Job;
  readonly document: NotificationDocument | undefined;
  readonly problems: readonly Problem[];
  /** How many of its plan failed in a row before it: counted once, when it ended. */
  failuresBefore: number | undefined;
  /** What is being delivered, or was, and perhaps is not yet seen to be noted. */
  readonly #claimed = new Set<string>();
  readonly #wakeup: Wakeup;

  private constructor(
    job: Job,
    read: NotificationDocument | { readonly problems: readonly Problem[] },
    clock: Clock,
    look: (run: ToldRun) => void,
    signal: AbortSignal,
  ) {
    this.job = job;
    this.document = 'problems' in read ? undefined : read;
    this.problems = 'problems' in read ? read.problems : [];
    this.#wakeup = new Wakeup(clock, () => look(this), signal);
  }

  /** Nothing where nobody is to be told. */
  static of(job: Job, clock: Clock, look: (run: ToldRun) => void, signal: AbortSignal): ToldRun | undefined {
    const read = readNotifications(job);
    return read && new ToldRun(job, read, clock, look, signal);
  }

  /** Takes something to deliver, unless it is delivered, given up or taken. */
  claim(key: string): boolean {
    if (this.#claimed.has(key) || this.job.metadata.annotations?.[key] !== undefined) return false;
    this.#claimed.add(key);
    return true;
  }

  /** Sets when to look although nothing else happens. */
  lookAgain(at: number | undefined): void {
    this.#wakeup.at(at);
  }

  /** Never looks again. */
  rest(): void {
    this.#wakeup.at();
  }
}
