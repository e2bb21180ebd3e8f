import { annotations, labels, type Backfilling } from '../../graph/labels.ts';
import { isJsonObject } from '../../values/json.ts';
import type { Job } from '../objects.ts';
import { scheduledAt } from '../../runs/run-kinds.ts';

/** A run that has not begun. */
interface Waiting {
  readonly job: Job;
  /** How many runs of its backfill may go on at once. */
  readonly atOnce: number;
  /** The run with the smallest comes first. */
  readonly rank: number;
}

/** The open runs of one backfill, by uid. */
interface Line {
  readonly begun: Set<string>;
  readonly waiting: Map<string, Waiting>;
}

/**
 * Lets the runs of each backfill begin in its order, so many at a time. All that decides it is on their Jobs, so that a backfill goes on
 * when who asked for it is gone, and when another controller takes over. It may have thousands of runs: nothing is compared while none may begin.
 */
export class Backfills {
  readonly #lines = new Map<string, Line>();
  readonly #hasBegun: (job: Job) => boolean;

  constructor(hasBegun: (job: Job) => boolean) {
    this.#hasBegun = hasBegun;
  }

  /** An open run was seen. */
  put(job: Job): void {
    const { uid = '' } = job.metadata;
    const line = this.#lines.get(lineOf(job)) ?? { begun: new Set(), waiting: new Map() };
    this.#lines.set(lineOf(job), line);
    if (line.begun.has(uid)) return;
    if (this.#hasBegun(job)) begin(line, uid);
    else line.waiting.set(uid, waitingOf(job));
  }

  /** A run has ended or is gone. Gives those that may begin now. */
  remove(job: Job): readonly Job[] {
    const line = this.#lines.get(lineOf(job));
    const { uid = '' } = job.metadata;
    if (line === undefined || !(line.begun.delete(uid) || line.waiting.delete(uid))) return [];
    if (line.begun.size + line.waiting.size === 0) this.#lines.delete(lineOf(job));
    const inOrder = [...line.waiting.values()].sort((a, b) => a.rank - b.rank);
    return inOrder.filter(({ atOnce }, index) => line.begun.size + index < atOnce).map((each) => each.job);
  }

  /** Whether a run may begin now. */
  admits(job: Job): boolean {
    const line = this.#lines.get(lineOf(job));
    const { uid = '' } = job.metadata;
    const own = line?.waiting.get(uid);
    if (line === undefined || own === undefined) return true;
    let before = 0;
    for (const [other, { job: each, rank }] of line.waiting) {
      if (line.begun.size + before >= own.atOnce) return false;
      // A controller that takes over knows of some by what they started.
      if (this.#hasBegun(each)) begin(line, other);
      else if (rank < own.rank) before += 1;
    }
    if (line.begun.size + before >= own.atOnce) return line.begun.has(uid);
    begin(line, uid);
    return true;
  }
}

/** Whether a run is one of a backfill that says how many of its runs go on at once. */
export function isBackfilled({ metadata }: Job): boolean {
  return metadata.labels?.[labels.backfill] !== undefined && metadata.annotations?.[annotations.backfill] !== undefined;
}

function begin({ begun, waiting }: Line, uid: string): void {
  waiting.delete(uid);
  begun.add(uid);
}

/** Runs of a plan with the same label are one backfill. */
function lineOf({ metadata: { namespace, labels: given } }: Job): string {
  return `${namespace}/${given?.[labels.plan]}/${given?.[labels.backfill]}`;
}

function waitingOf(job: Job): Waiting {
  const { concurrency, order } = backfillingOf(job);
  const time = scheduledAt(job) ?? 0;
  return { job, atOnce: concurrency, rank: order === 'newest' ? -time : time };
}

/** Anybody may have written it: one run after the other is safe. */
function backfillingOf({ metadata }: Job): Backfilling {
  try {
    const said: unknown = JSON.parse(metadata.annotations?.[annotations.backfill] ?? '');
    const { concurrency, order } = isJsonObject(said) ? said : {};
    const atOnce = Number.isSafeInteger(concurrency) && (concurrency as number) > 0 ? (concurrency as number) : 1;
    return { concurrency: atOnce, order: order === 'newest' ? order : 'oldest' };
  } catch {
    return { concurrency: 1, order: 'oldest' };
  }
}
