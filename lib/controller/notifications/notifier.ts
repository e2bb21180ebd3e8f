import type { Clock } from '../../kube/clock.ts';
import { isConflict, isNotFound } from '../../kube/errors.ts';
import type { EventNote } from '../../kube/events.ts';
import { jobs } from '../../kube/resources.ts';
import { annotations } from '../../graph/labels.ts';
import type { NotificationDocument } from '../../graph/notifications.ts';
import type { Logger } from '../log.ts';
import type { Job } from '../objects.ts';
import { problemNotes } from '../run/run-events.ts';
import { isTicker } from '../../runs/run-kinds.ts';
import { backoffMs, type RunClient } from '../worker-context.ts';
import type { Deliveries } from './deliveries.ts';
import { wasToldMissing } from './late-rules.ts';
import type { MissingRuns } from './missing-runs.ts';
import { asksForHistory, dueNow, type Due } from './notification-rules.ts';
import { noticeOf, settledKey } from './notice.ts';
import { PlanHistory } from './plan-history.ts';
import { runFacts, type RunFacts } from './run-facts.ts';
import { ToldRun } from './told-run.ts';

/** What a {@link Notifier} acts through. */
export interface NotifierOptions {
  readonly client: RunClient;
  readonly deliveries: Deliveries;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tell: (run: Job, note: EventNote) => void;
  /** The time of a plan that was told last when it had no run. */
  readonly toldMissing: MissingRuns['toldOf'];
}

/**
 * Tells people and programs of runs, as their Jobs ask for it. It looks at nothing but Jobs, so that nothing it does holds up a run. What was delivered is noted
 * on the Job afterwards: a controller that dies in between delivers once more, with the same id.
 */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #signal: AbortSignal;
  readonly #history = new PlanHistory();
  /** By the uid of the Job. */
  readonly #runs = new Map<string, ToldRun>();
  #at: 'rest' | 'work' | 'end' = 'rest';

  constructor(options: NotifierOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** All Jobs are known: what is to be told is told from now on. */
  start(): void {
    this.#at = 'work';
    for (const run of this.#runs.values()) this.#look(run);
  }

  /** Begins no other try, and waits for those under way. */
  async close(): Promise<void> {
    this.#at = 'end';
    await this.#options.deliveries.close();
  }

  /** A Job was made or has changed. */
  see(job: Job): void {
    if (isTicker(job)) return;
    const { uid = '' } = job.metadata;
    this.#history.put(job, runFacts(job));
    const known = this.#runs.get(uid);
    const run = known ?? ToldRun.of(job, this.#options.clock, (each) => this.#look(each), this.#signal);
    if (run === undefined) return;
    run.job = job;
    if (known === undefined) this.#runs.set(uid, run);
    if (known === undefined && run.problems.length > 0)
      for (const note of problemNotes('InvalidAnnotation', 'Nobody is told of the run', run.problems))
        this.#options.tell(job, note);
    if (this.#at === 'work') this.#look(run);
  }

  /** A Job is gone. What is being delivered goes on. */
  forget(job: Job): void {
    const { uid = '' } = job.metadata;
    this.#history.remove(job);
    this.#runs.get(uid)?.rest();
    this.#runs.delete(uid);
  }

  #look(run: ToldRun): void {
    const { job, document } = run;
    if (this.#at !== 'work' || document === undefined) return;
    const facts = runFacts(job);
    const failures = this.#failuresBefore(run, facts);
    const { due, next } = dueNow(facts, failures, document.notifications, this.#options.clock.now());
    run.lookAgain(next);
    for (const each of due)
      if (!this.#wasToldMissing(facts, document, each) && run.claim(settledKey(each)))
        void this.#deliver(job, failures, document, each);
  }

  #wasToldMissing(run: RunFacts, { notifications }: NotificationDocument, { event, notification }: Due): boolean {
    if (event !== 'late' || run.plan === undefined) return false;
    const told = this.#options.toldMissing(`${run.namespace}/${run.plan}`, notification);
    return wasToldMissing(run, notifications[notification]!, told);
  }

  /** It is written down, for the runs before it are deleted as time goes by, and every controller must come to the same. */
  #failuresBefore(run: ToldRun, { end, failuresBefore: written }: RunFacts): number {
    const { job, document, failuresBefore: known } = run;
    if (written !== undefined || known !== undefined) return written ?? known!;
    const failures = this.#history.failuresBefore(job);
    if (end === undefined || !asksForHistory(document!.notifications)) return failures;
    run.failuresBefore = failures;
    void this.#options.deliveries
      .track(() => this.#annotate(job, annotations.failuresBefore, String(failures)))
      .catch(() => undefined);
    return failures;
  }

  async #deliver(job: Job, failures: number, document: NotificationDocument, due: Due): Promise<void> {
    const notice = noticeOf(runFacts(job), failures, document, due);
    const { to } = document.notifications[due.notification]!;
    const note = (text: string) => this.#annotate(job, settledKey(due), text);
    await this.#options.deliveries.deliver({ about: job, due, to, notice, note });
  }

  /** Writes down something, each in an annotation of its own, so that nobody overwrites what another wrote. */
  async #annotate(job: Job, key: string, text: string): Promise<void> {
    const { client, clock, log } = this.#options;
    const { name, namespace, uid } = job.metadata;
    const patch = { metadata: { uid, annotations: { [key]: text } } };
    const options = { type: 'merge', namespace, signal: this.#signal, repeatable: true } as const;
    for (let failures = 1; ; failures++)
      try {
        await client.patch(jobs, name, patch, options);
        return;
      } catch (error) {
        // The Job is gone, or is another one by now. A conflict may also come of many who write at once.
        if (isNotFound(error) || (isConflict(error) && failures >= 5)) return;
        this.#signal.throwIfAborted();
        log.warn('What came of a notification could not be noted', { namespace, run: name, error });
        await clock.sleep(backoffMs(failures, 15_000), this.#signal);
      }
  }
}
