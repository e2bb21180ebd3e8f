import type { Instant } from './record.ts';

interface Entry {
  readonly at: Instant;
  readonly key: number;
}

/**
 * Keys with a time each, the earliest first, equal times in the order of keys. The order depends on nothing but
 * what is in it, so that a run that is rebuilt from its record goes on in the same order.
 *
 * A binary heap. A key that was moved or removed leaves its old entry behind, which is dropped when it comes up.
 */
export class Timers {
  #heap: Entry[] = [];
  readonly #times = new Map<number, Instant>();

  get size(): number {
    return this.#times.size;
  }

  keys(): Iterable<number> {
    return this.#times.keys();
  }

  /** Sets, moves, or (without a time) removes a key. */
  set(key: number, at: Instant | undefined): void {
    if (at === undefined) {
      this.#times.delete(key);
    } else if (this.#times.get(key) !== at) {
      this.#times.set(key, at);
      this.#push({ at, key });
    }
    if (this.#heap.length > 2 * this.#times.size + 64) this.#compact();
  }

  /** The earliest time. */
  next(): Instant | undefined {
    return this.#first()?.at;
  }

  /** The earliest key. */
  peek(): number | undefined {
    return this.#first()?.key;
  }

  /** Removes and returns the earliest key, if its time is not after `until`. */
  take(until: Instant): number | undefined {
    const first = this.#first();
    if (first === undefined || first.at > until) return undefined;
    this.#pop();
    this.#times.delete(first.key);
    return first.key;
  }

  #first(): Entry | undefined {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (this.#times.get(top.key) === top.at) return top;
      this.#pop();
    }
    return undefined;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }

  // A sorted array is a heap.
  #compact(): void {
    this.#heap = [...this.#times].map(([key, at]) => ({ at, key })).sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.key < b.key);
}
