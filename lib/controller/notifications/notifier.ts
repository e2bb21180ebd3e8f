import type { Clock } from '../../kube/clock.ts';
import { isConflict, isNotFound } from '../../kube/errors.ts';
import type { EventNote } from '../../kube/events.ts';
import { jobs } from '../../kube/resources.ts';
import { backoffDelay } from '../../kube/retry.ts';
import { kickoffText } from '../../graph/kickoff.ts';
import { annotations } from '../../graph/labels.ts';
import type { NotificationDocument, NotificationTo } from '../../graph/notifications.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { shorten, type Job } from '../objects.ts';
import { problemNotes } from '../run/run-events.ts';
import { isTicker } from '../../runs/run-kinds.ts';
import { backoffMs, type RunClient } from '../worker-context.ts';
import { DeliveryError, type Outcome } from './delivery.ts';
import type { Deliverer } from './deliverer.ts';
import { Lanes } from './lanes.ts';
import { asksForHistory, dueNow, type Due } from './notification-rules.ts';
import { noticeOf, settledKey, type Notice } from './notice.ts';
import { PlanHistory } from './plan-history.ts';
import { runFacts, type RunFacts } from './run-facts.ts';
import { ToldRun } from './told-run.ts';

/** What a {@link Notifier} acts through. */
export interface NotifierOptions {
  readonly client: RunClient;
  readonly deliverer: Pick<Deliverer, 'deliver'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tell: (run: Job, note: EventNote) => void;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  /** The wait after the first failure, which doubles from then on, and the longest one, in milliseconds. */
  readonly backoff: { readonly baseDelayMs: number; readonly maxDelayMs: number };
}

/** Deliveries that go to one target at a time. */
const AT_ONCE = 8;

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
  readonly #lanes = new Lanes(AT_ONCE);
  readonly #tries = new Set<Promise<unknown>>();
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
    await Promise.allSettled(this.#tries);
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
    for (const each of due) if (run.claim(settledKey(each))) void this.#deliver(job, failures, document, each);
  }

  /** It is written down, for the runs before it are deleted as time goes by, and every controller must come to the same. */
  #failuresBefore(run: ToldRun, { end, failuresBefore: written }: RunFacts): number {
    const { job, document, failuresBefore: known } = run;
    if (written !== undefined || known !== undefined) return written ?? known!;
    const failures = this.#history.failuresBefore(job);
    if (end === undefined || !asksForHistory(document!.notifications)) return failures;
    run.failuresBefore = failures;
    void this.#track(() => this.#annotate(job, annotations.failuresBefore, String(failures))).catch(() => undefined);
    return failures;
  }

  async #deliver(job: Job, failures: number, document: NotificationDocument, due: Due): Promise<void> {
    const { clock } = this.#options;
    const notice = noticeOf(runFacts(job), failures, document, due);
    const { to } = document.notifications[due.notification]!;
    try {
      for (let tries = 1; ; tries++) {
        const wait = await this.#track(() => this.#try(job, due, to, notice, tries));
        if (wait === undefined) return;
        await clock.sleep(wait, this.#signal);
      }
    } catch (error) {
      if (!this.#signal.aborted) this.#options.log.error('A notification cannot be worked on', { error });
    }
  }

  /** Tries once, and writes down what came of it. How long to wait before the next try; nothing when there is none. */
  async #try(job: Job, due: Due, to: NotificationTo, notice: Notice, tries: number): Promise<number | undefined> {
    const { clock, random, backoff, metrics } = this.#options;
    const { namespace = '' } = job.metadata;
    const send = async (): Promise<Outcome | undefined> => {
      if (this.#at === 'end') return undefined;
      return this.#options.deliverer.deliver(to, notice, namespace, this.#signal).catch(failureOf);
    };
    const outcome = await this.#lanes.run(JSON.stringify([namespace, to]), send);
    this.#signal.throwIfAborted();
    if (outcome === undefined) return undefined;
    if (outcome.kind === 'delivered') {
      await this.#delivered(job, due);
      return undefined;
    }
    const wait = Math.max(backoffDelay(backoff, tries, random()), (outcome.kind === 'failed' && outcome.afterMs) || 0);
    if (outcome.kind === 'refused' || clock.now() + wait >= due.until) {
      await this.#givenUp(job, due, outcome.why);
      return undefined;
    }
    metrics.notification('failed');
    this.#warn(job, 'NotificationFailed', `${nameOf(due)} could not be delivered and is tried again`, outcome.why);
    return wait;
  }

  async #delivered(job: Job, due: Due): Promise<void> {
    this.#options.metrics.notification('delivered');
    await this.#annotate(job, settledKey(due), kickoffText(this.#options.clock.now()));
  }

  async #givenUp(job: Job, due: Due, why: string): Promise<void> {
    this.#options.metrics.notification('given up');
    this.#warn(job, 'NotificationGivenUp', `${nameOf(due)} could not be delivered and is given up`, why);
    await this.#annotate(job, settledKey(due), `given up: ${shorten(why, 200)}`);
  }

  #warn(job: Job, reason: string, what: string, why: string): void {
    const { name, namespace } = job.metadata;
    this.#options.log.warn(what, { namespace, run: name, why });
    this.#options.tell(job, { type: 'Warning', reason, message: `${what}: ${why}` });
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

  async #track<T>(work: () => Promise<T>): Promise<T> {
    const done = work();
    this.#tries.add(done);
    try {
      return await done;
    } finally {
      this.#tries.delete(done);
    }
  }
}

function nameOf({ notification, event }: Due): string {
  return `Notification ${notification} (${event})`;
}

function failureOf(error: unknown): Outcome {
  if (error instanceof DeliveryError) return { kind: 'failed', why: error.message };
  return { kind: 'failed', why: shorten((error as Error).message, 200) };
}
