import type { KubeClient } from '../kube/client.ts';
import { eachObject } from '../kube/pages.ts';
import { Reflector } from '../kube/reflector.ts';
import { jobs } from '../kube/resources.ts';
import { isRunJob, RUN_SELECTOR } from '../runs/run-kinds.ts';
import type { RunJob } from '../runs/run-objects.ts';
import { summaryOf, type RunSummary } from '../runs/run-summary.ts';
import { Feed } from './feed.ts';
import type { CallOptions } from './run.ts';
import { selectorOf } from './selector.ts';
import { translated } from './translate.ts';

/** Which runs are meant. */
export interface RunSelection extends CallOptions {
  readonly plan?: string;
  readonly group?: string;
  readonly workflow?: string;
}

/** What happened to a run: it is there, it is another, it was deleted. */
export interface RunChange {
  readonly type: 'added' | 'changed' | 'deleted';
  readonly run: RunSummary;
}

/** The runs of a namespace, but for those that are steps of others. */
export class Runs {
  readonly #client: KubeClient;

  /** @internal */
  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** Those that there are, the newest first. */
  list({ signal, ...selection }: RunSelection = {}): Promise<readonly RunSummary[]> {
    return translated(async () => {
      const runs: RunSummary[] = [];
      const select = { labelSelector: selectorOf(RUN_SELECTOR, selection), signal };
      for await (const job of eachObject<RunJob>(this.#client, jobs, select))
        if (isRunJob(job)) runs.push(summaryOf(job));
      return runs.sort((a, b) => compare(b.createdAt, a.createdAt) || compare(a.name, b.name));
    });
  }

  /** Those that there are, then every change, until the loop is left or the signal aborted. Breaks of the connection are made up for. */
  async *watch({ signal, ...selection }: RunSelection = {}): AsyncGenerator<RunChange, void, undefined> {
    const labelSelector = await translated(async () => selectorOf(RUN_SELECTOR, selection));
    const stop = new AbortController();
    const feed = new Feed<RunChange>();
    const tell = (type: RunChange['type'], job: RunJob) => {
      if (isRunJob(job)) feed.put({ type, run: summaryOf(job) });
    };
    const reflector = new Reflector<RunJob>(this.#client, jobs, {
      labelSelector,
      onChange: (job, previous) => tell(previous === undefined ? 'added' : 'changed', job),
      onDelete: (job) => tell('deleted', job),
    });
    const onAbort = () => feed.fail(signal!.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      signal?.throwIfAborted();
      reflector.start(stop.signal);
      yield* feed;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      stop.abort();
    }
  }
}

function compare(a = '', b = ''): number {
  return a < b ? -1 : Number(a > b);
}
