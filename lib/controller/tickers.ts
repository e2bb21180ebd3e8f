import { labels } from '../graph/labels.ts';
import type { Job } from './objects.ts';
import { Ticker, type TickerOptions } from './ticker.ts';

/** The tickers at work, one for each minute of a plan whose interval is below a minute. */
export class Tickers {
  readonly #options: Omit<TickerOptions, 'runsOf'>;
  readonly #jobs: () => Iterable<Job>;
  /** By the uid of the minute's Job. */
  readonly #tickers = new Map<string, Ticker>();

  constructor(options: Omit<TickerOptions, 'runsOf'>, jobs: () => Iterable<Job>) {
    this.#options = options;
    this.#jobs = jobs;
  }

  /** Starts one, unless it is at work. One that failed may be started again. */
  start(job: Job): void {
    const { uid = '' } = job.metadata;
    if (this.#tickers.has(uid)) return;
    const ticker = new Ticker({ ...this.#options, runsOf: (plan, namespace) => this.#runsOf(plan, namespace) }, job);
    this.#tickers.set(uid, ticker);
    ticker.run().catch((error: unknown) => {
      if (ticker.stopped) return;
      this.#tickers.delete(uid);
      this.#options.log.error('The runs of a minute could not be started', { job: job.metadata.name, error });
    });
  }

  /** The Job of a minute is gone. */
  stop({ metadata: { uid = '' } }: Job): void {
    this.#tickers.get(uid)?.stop();
    this.#tickers.delete(uid);
  }

  stopAll(): void {
    for (const ticker of this.#tickers.values()) ticker.stop();
  }

  #runsOf(plan: string, namespace: string | undefined): readonly Job[] {
    return [...this.#jobs()].filter(
      ({ metadata }) => metadata.labels?.[labels.plan] === plan && metadata.namespace === namespace,
    );
  }
}
