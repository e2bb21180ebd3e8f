import { isDeepStrictEqual } from 'node:util';
import { decodeRecord, encodeRun, encodeStep } from '../../lib/engine/codec.ts';
import { encodeItems, type ItemBlock } from '../../lib/engine/item-codec.ts';
import { isFinal } from '../../lib/engine/phases.ts';
import type { RunRecord, RunState, StepRecord } from '../../lib/engine/record.ts';

/** What a shell wants written, in one request. */
export interface Patch {
  run?: RunState;
  readonly steps: Map<string, StepRecord>;
  readonly items: Map<string, ItemBlock>;
}

/** A run's record as the API server keeps it: as texts, with a version that every writer must name. */
export class SimulatedStore {
  version = 0;
  finished = false;
  #run = '';
  readonly #steps: Record<string, string> = {};
  readonly #items: Record<string, string> = {};
  readonly #ended = new Set<string>();
  readonly #endedItems = new Map<string, string>();

  /** Writes if `version` is the one that is there, and returns whether it is. */
  write(version: number, { run, steps, items }: Patch): boolean {
    if (version !== this.version) return false;
    if (run !== undefined) {
      const text = encodeRun(run);
      if (this.finished && !isSame(this.#run, text)) throw new Error('the run had ended and was written again');
      this.#run = text;
      this.finished ||= run.finishedAt !== undefined;
    }
    for (const [step, record] of steps) {
      const text = encodeStep(record);
      if (this.#ended.has(step) && !isSame(this.#steps[step]!, text))
        throw new Error(`${step} had ended and was written again`);
      this.#steps[step] = text;
      if (isFinal(record.phase)) this.#ended.add(step);
    }
    for (const [key, block] of items) {
      this.#items[key] = encodeItems(block);
      for (const [place, item] of block.entries()) this.#checkItem(`${key}/${place}`, item);
    }
    this.version += 1;
    return true;
  }

  /** Whether all of this stands there. */
  has({ run, steps, items }: Patch): boolean {
    if (run !== undefined && encodeRun(run) !== this.#run) return false;
    return (
      [...steps].every(([step, record]) => this.#steps[step] === encodeStep(record)) &&
      [...items].every(([key, block]) => this.#items[key] === encodeItems(block))
    );
  }

  /** Nothing before the first write. */
  read(): RunRecord | undefined {
    if (this.version === 0) return undefined;
    const decoded = decodeRecord({ run: this.#run, steps: this.#steps, items: this.#items });
    if ('problems' in decoded) throw new Error(`the record cannot be read: ${JSON.stringify(decoded.problems)}`);
    return decoded.record;
  }

  #checkItem(item: string, record: StepRecord | undefined): void {
    const end = record && isFinal(record.phase) ? encodeStep(record) : undefined;
    const before = this.#endedItems.get(item);
    if (before !== undefined && !isSame(before, end)) throw new Error(`item ${item} had ended and was written again`);
    if (end !== undefined) this.#endedItems.set(item, end);
  }
}

/** Fields may be read and written in another order. */
function isSame(before: string, after: string | undefined): boolean {
  return before === after || (after !== undefined && isDeepStrictEqual(JSON.parse(before), JSON.parse(after)));
}
