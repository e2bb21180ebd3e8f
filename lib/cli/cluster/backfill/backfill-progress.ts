import type { CliContext } from '../../context.ts';
import { LiveBlock } from '../../terminal/live-block.ts';
import type { Output } from '../../terminal/output.ts';
import { takesUnicode } from '../../terminal/phases.ts';
import { isEnd, type BackfillCounts, type BackfillPhase } from './backfill-watch.ts';

const BAR_WIDTH = 30;

/** How far a backfill is, on stderr: on a terminal a bar that is drawn in place, elsewhere a line for each run that is made and for each that ends. */
export class BackfillProgress {
  readonly #output: Output;
  readonly #block: LiveBlock;
  readonly #full: string;
  readonly #empty: string;
  readonly #total: number;
  #made: number;
  #counts: BackfillCounts = new Map();

  /** @param made how many of the runs exist already */
  constructor({ err, env }: CliContext, total: number, made: number) {
    this.#output = err;
    this.#block = new LiveBlock(err);
    [this.#full, this.#empty] = takesUnicode(env) ? ['█', '░'] : ['#', '-'];
    this.#total = total;
    this.#made = made;
  }

  /** A run was made. */
  made(run: string, what: string): void {
    this.#made += 1;
    if (!this.#output.isTerminal) this.#output.line(`run ${run} ${what} (${this.#made}/${this.#total})`);
    this.#draw();
  }

  /** What became of a run was heard. */
  heard(run: string, phase: BackfillPhase, counts: BackfillCounts): void {
    this.#counts = counts;
    if (!this.#output.isTerminal && isEnd(phase))
      this.#output.line(`run ${run} ${phase} (${overOf(counts)}/${this.#total})`);
    this.#draw();
  }

  end(): void {
    this.#block.clear();
  }

  #draw(): void {
    this.#block.draw([progressLine(this.#total, this.#made, this.#counts, [this.#full, this.#empty])]);
  }
}

/** The bar counts the runs that are over; before any is heard of, those that are made. */
export function progressLine(
  total: number,
  made: number,
  counts: BackfillCounts,
  [full, empty]: readonly [string, string],
): string {
  const over = overOf(counts);
  const done = counts.size === 0 ? made : over;
  const filled = total === 0 ? BAR_WIDTH : Math.floor((BAR_WIDTH * done) / total);
  const parts = [
    counts.size === 0 || made < total ? `${made}/${total} made` : undefined,
    counts.size === 0 ? undefined : `${over}/${total} over`,
    ...(['Running', 'Failed', 'Cancelled', 'Deleted'] as const).map((phase) => {
      const count = counts.get(phase) ?? 0;
      return count === 0 ? undefined : `${count} ${phase.toLowerCase()}`;
    }),
  ];
  return `[${full.repeat(filled)}${empty.repeat(BAR_WIDTH - filled)}]  ${parts.filter((part) => part !== undefined).join(', ')}`;
}

function overOf(counts: BackfillCounts): number {
  return [...counts].reduce((sum, [phase, count]) => (isEnd(phase) ? sum + count : sum), 0);
}
