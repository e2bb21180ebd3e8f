import type { Instant, Lock } from './record.ts';
import type { Seat } from './lock-table.ts';

/** A step that has locks, or waits for them. It has all of them or none. */
export interface Claim {
  readonly seat: Seat;
  readonly index: number;
  readonly step: string;
  readonly readyAt: Instant;
  readonly needs: readonly Need[];
}

/** A place in the line of a key. */
export interface Need {
  /** Names the line: scope, what it is about, and key. */
  readonly line: string;
  readonly limit: number;
  /** Left out for the limits of a namespace or the controller. */
  readonly lock?: Lock;
}

/** Who has a key, and who waits for it: by the priority of the run, then by age, then by name. */
export class Line {
  readonly holders = new Map<Claim, number>();
  readonly #waiting: { readonly claim: Claim; readonly limit: number }[] = [];

  get isEmpty(): boolean {
    return this.holders.size === 0 && this.#waiting.length === 0;
  }

  /** Those whose turn it is: they and all before them fit the limits of each other and of those who have the key. */
  *next(): Generator<Claim> {
    let limit = Infinity;
    for (const held of this.holders.values()) limit = Math.min(limit, held);
    let count = this.holders.size;
    for (const waiting of this.#waiting) {
      limit = Math.min(limit, waiting.limit);
      count += 1;
      if (count > limit) return;
      yield waiting.claim;
    }
  }

  isNext(claim: Claim): boolean {
    for (const next of this.next()) if (next === claim) return true;
    return false;
  }

  /** Those who wait before a claim does. */
  before(claim: Claim): readonly Claim[] {
    return this.#waiting.slice(0, this.#placeOf(claim)).map((waiting) => waiting.claim);
  }

  enter(claim: Claim, limit: number): void {
    const place = this.#placeOf(claim);
    if (this.#waiting[place]?.claim !== claim) this.#waiting.splice(place, 0, { claim, limit });
  }

  /** Whether the claim stood there. */
  leave(claim: Claim): boolean {
    const place = this.#placeOf(claim);
    if (this.#waiting[place]?.claim !== claim) return false;
    this.#waiting.splice(place, 1);
    return true;
  }

  #placeOf(claim: Claim): number {
    let [from, to] = [0, this.#waiting.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (compareClaims(this.#waiting[middle]!.claim, claim) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

function compareClaims(a: Claim, b: Claim): number {
  if (a === b) return 0;
  const [x, y] = [a.seat.rank, b.seat.rank];
  return (
    y.priority - x.priority ||
    a.readyAt - b.readyAt ||
    x.startedAt - y.startedAt ||
    compareText(a.seat.run.name, b.seat.run.name) ||
    compareText(a.seat.run.uid, b.seat.run.uid) ||
    a.index - b.index
  );
}

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
