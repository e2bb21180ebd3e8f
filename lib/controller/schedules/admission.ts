import type { SkippedRun } from '../../graph/plan-record.ts';
import type { Clock } from '../../kube/clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventNote } from '../../kube/events.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { isTicker } from '../../runs/run-kinds.ts';
import { CatchUps } from './catch-up.ts';
import { DueTimes } from './due-times.ts';
import type { Logger } from '../log.ts';
import { isOpen, type Job } from '../objects.ts';
import { PlanIndex } from './plan-index.ts';
import { PlanRecords } from './plan-record.ts';
import { Tickers } from './tickers.ts';
import { Turns } from './turns.ts';

/** What there is to be done about a run that nobody works on: it is made ready for its time, waits for others, or begins. */
export type Verdict = 'early' | 'waits' | 'begins';

/** What {@link Admission} needs of a controller. */
export interface AdmissionOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tell: (object: KubeObject, note: EventNote) => void;
  /** Whether anything was made of a run's steps. */
  readonly hasBegun: (job: Job) => boolean;
  /** Called when there may be another verdict on a run, by what it was when that was last asked for. */
  readonly onNews: (job: Job) => void;
}

/** When the runs of plans begin: at their times, by what their plans say of missed times, and in their turns. */
export class Admission {
  readonly #plans = new PlanIndex();
  readonly #records: PlanRecords;
  readonly #dueTimes: DueTimes;
  readonly #catchUps: CatchUps;
  readonly #tickers: Tickers;
  readonly #turns: Turns;

  constructor({ client, clock, log, tell, hasBegun, onNews }: AdmissionOptions) {
    const runsOf = (plan: string, namespace: string | undefined) => this.#plans.of(plan, namespace);
    this.#records = new PlanRecords({ client, clock, log });
    const skipped = (plan: KubeObject, run: SkippedRun) => this.#records.skipped(plan, run);
    const planned = { client, clock, log, tell, skipped, runsOf };
    this.#tickers = new Tickers(planned);
    this.#dueTimes = new DueTimes(clock, onNews);
    this.#catchUps = new CatchUps({
      ...planned,
      records: this.#records,
      onSettled: (plan, namespace) => {
        for (const job of runsOf(plan, namespace)) onNews(job);
      },
    });
    this.#turns = new Turns({ client, log, tell, skipped, hasBegun });
  }

  /** A run was seen. */
  see(job: Job): void {
    this.#plans.put(job);
    if (isOpen(job) && !isTicker(job)) this.#turns.put(job);
  }

  /** A run has ended, or is gone; gives those whose turn may have come. */
  ended(job: Job): readonly Job[] {
    return this.#turns.remove(job);
  }

  /** A run is gone. */
  forget(job: Job): void {
    this.#plans.remove(job);
    this.#tickers.stop(job);
    this.#dueTimes.forget(job);
  }

  /** Of a run that has not ended. One that stands for the runs of a minute makes them from now on, and never begins itself. */
  verdict(job: Job): Verdict {
    if (!this.#dueTimes.admits(job)) return 'early';
    const admitted = this.#catchUps.admits(job);
    if (!isTicker(job)) return admitted && this.#turns.admits(job) ? 'begins' : 'waits';
    if (admitted) this.#tickers.start(job);
    return 'waits';
  }

  stop(): void {
    this.#tickers.stopAll();
    this.#catchUps.stop();
    this.#records.stop();
    this.#dueTimes.stop();
  }
}
