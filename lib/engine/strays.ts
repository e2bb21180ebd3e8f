import type { AttemptedStep } from '../graph/items.ts';
import type { AttemptState } from './advance.ts';
import { isFinal, isLive, liveAttempt } from './phases.ts';
import type { StepReason } from './reasons.ts';
import { mostAttempts } from './retries.ts';
import { later } from './sightings.ts';
import type { Sighting, Turn } from './turn.ts';

/**
 * What was seen of attempts that the record does not have as live. Those that may yet be are kept for when their step comes
 * to them; the end of the others is asked for. Two shells may lead at once, for a while: the one that is deposed may create
 * an attempt late, after the other has given it up, or go on to one that the other does not know of.
 */
export class Strays {
  /** Attempts that the record does not have yet, by step. */
  readonly #early = new Map<number, Map<number, AttemptState>>();
  /** Attempts whose end was asked for. One that is seen to have ended, and lives again, is asked for again. */
  readonly #asked = new Map<number, Set<number>>();

  /** The steps that something is kept of. */
  get steps(): Iterable<number> {
    return this.#early.keys();
  }

  /** Whether something is kept of a step, or of an item of it. */
  has({ ledger }: Turn, index: number): boolean {
    if (this.#early.has(index)) return true;
    for (const early of this.#early.keys()) if (ledger.items.mapOf(early) === index) return true;
    return false;
  }

  /** Takes in a sighting that is not for the rules of its step, now; returns whether it did. */
  take(turn: Turn, { index, attempt, state }: Sighting): boolean {
    // Sightings are of steps that have attempts.
    const node = turn.ledger.step(index).node as AttemptedStep;
    const record = turn.ledger.of(index);
    const live = liveAttempt(record);
    if (live?.number === attempt) return false;
    const ahead = attempt - (record.attempts.at(-1)?.number ?? 0);
    if (!isFinal(record.phase) && ahead > 0 && ahead <= mostAttempts(node)) {
      if (record.phase === 'Waiting' || record.reason === 'CheckingCache') return false;
      this.#keep(index, attempt, state);
      // Whoever began it had given up the one before.
      if (live !== undefined && live.stopping === undefined && isLive(state))
        this.#end(turn, index, live.number, 'Superseded');
    } else if (isLive(state)) this.#end(turn, index, attempt, isFinal(record.phase) ? record.reason : 'Superseded');
    else this.#asked.get(index)?.delete(attempt);
    return true;
  }

  /** What is kept of a step, in the order of its attempts; nothing is kept of it any more. */
  release(index: number): Sighting[] {
    const early = [...(this.#early.get(index) ?? [])];
    this.#early.delete(index);
    return early.map(([attempt, state]) => ({ index, attempt, state })).sort((a, b) => a.attempt - b.attempt);
  }

  #keep(index: number, attempt: number, state: AttemptState): void {
    const early = this.#early.get(index) ?? new Map<number, AttemptState>();
    this.#early.set(index, early.set(attempt, later(early.get(attempt), state)));
  }

  #end({ ledger, commands }: Turn, index: number, attempt: number, reason: StepReason): void {
    const asked = this.#asked.get(index) ?? new Set<number>();
    if (asked.has(attempt)) return;
    this.#asked.set(index, asked.add(attempt));
    commands.push({ kind: 'stop', step: ledger.step(index).node.name, attempt, reason });
  }
}
