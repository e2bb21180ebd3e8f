import type { Job } from '../objects.ts';
import { Ticker, type TickerOptions } from './ticker.ts';

/** The tickers at work, one for each minute of a plan whose interval is below a minute. */
export class Tickers {
  readonly #options: TickerOptions;
  /** By the uid of the minute's Job. */
  readonly #tickers = new Map<string, Ticker>();

  constructor(options: TickerOptions) {
    this.#options = options;
  }

  /** Starts one, unless it is at work. One that failed may be started again. */
  start(job: Job): void {
    const { uid = '' } = job.metadata;
    if (this.#tickers.has(uid)) return;
    const ticker = new Ticker(this.#options, job);
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
}
