import type { KubeClient } from '../../../kube/client.ts';
import { Reflector } from '../../../kube/reflector.ts';
import { jobs } from '../../../kube/resources.ts';
import type { RunJob } from '../../../runs/run-objects.ts';
import { isOver, summaryOf, type RunPhaseName } from '../../../runs/run-summary.ts';

/** How a run of a backfill stands. `Deleted`: somebody deleted it before it was over. */
export type BackfillPhase = RunPhaseName | 'Deleted';

/** How many runs are in each phase. */
export type BackfillCounts = ReadonlyMap<BackfillPhase, number>;

/** What a {@link BackfillWatch} needs. */
export interface BackfillWatchOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly labelSelector: string;
  /** The names of the runs; others that are selected are nothing to it. */
  readonly runs: Iterable<string>;
  /** Called for each change after {@link BackfillWatch.start}. */
  readonly onChange: (run: string, phase: BackfillPhase, counts: BackfillCounts) => void;
}

/** Follows the runs of a backfill by one watch, however many there are. */
export class BackfillWatch {
  readonly #options: BackfillWatchOptions;
  readonly #runs: ReadonlySet<string>;
  readonly #reflector: Reflector<RunJob>;
  readonly #phases = new Map<string, BackfillPhase>();
  readonly #counts = new Map<BackfillPhase, number>();
  readonly #open = new Set<string>();
  /** The uids of runs that were made here: what is heard of another one of that name is old. */
  readonly #made = new Map<string, string>();
  readonly #heardOf = new Map<string, string | undefined>();
  #started = false;
  #changed = Promise.withResolvers<void>();

  constructor(client: KubeClient, options: BackfillWatchOptions) {
    this.#options = options;
    this.#runs = new Set(options.runs);
    this.#reflector = new Reflector<RunJob>(client, jobs, {
      labelSelector: options.labelSelector,
      onChange: (job) => this.#heard(job, summaryOf(job).phase),
      onDelete: (job) => this.#heard(job, 'Deleted'),
    });
    options.signal.addEventListener('abort', () => this.#changed.resolve(), { once: true });
  }

  /** Begins. Resolves when all runs that exist are known. */
  async start(): Promise<void> {
    this.#reflector.start(this.#options.signal);
    await this.#reflector.synced();
    this.#started = true;
  }

  /** A run was made, which the watch may not have heard of. */
  made({ metadata: { name, uid = '' } }: RunJob): void {
    this.#made.set(name, uid);
    if (this.#heardOf.get(name) !== uid) this.#set(name, 'Pending');
  }

  /** Nothing of a run that does not exist yet. */
  phaseOf(run: string): BackfillPhase | undefined {
    return this.#phases.get(run);
  }

  /** Waits until at most so many of some runs go on. @throws the signal's reason when it is aborted */
  async untilOpen(atMost: number, isMeant: (run: string) => boolean = () => true): Promise<void> {
    for (;;) {
      this.#options.signal.throwIfAborted();
      const { promise } = this.#changed;
      if (
        this.#open
          .values()
          .filter(isMeant)
          .take(atMost + 1)
          .toArray().length <= atMost
      )
        return;
      await promise;
    }
  }

  #heard({ metadata: { name, uid } }: RunJob, phase: BackfillPhase): void {
    if (!this.#runs.has(name) || (this.#made.get(name) ?? uid) !== uid) return;
    this.#heardOf.set(name, uid);
    // One that has ended and is tidied away has ended.
    if (phase !== 'Deleted' || this.#open.has(name)) this.#set(name, phase);
  }

  #set(run: string, phase: BackfillPhase): void {
    const before = this.#phases.get(run);
    if (before === phase) return;
    if (before !== undefined) this.#counts.set(before, this.#counts.get(before)! - 1);
    this.#counts.set(phase, (this.#counts.get(phase) ?? 0) + 1);
    this.#phases.set(run, phase);
    if (isEnd(phase)) this.#open.delete(run);
    else this.#open.add(run);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    if (this.#started) this.#options.onChange(run, phase, this.#counts);
  }
}

/** Whether nothing more comes of a run. */
export function isEnd(phase: BackfillPhase): boolean {
  return phase === 'Deleted' || isOver(phase);
}
