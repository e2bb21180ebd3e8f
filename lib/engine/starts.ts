import { kindOf } from './kinds.ts';
import type { Ledger } from './ledger.ts';
import type { Seat } from './lock-table.ts';
import type { Obstacle } from './obstacle.ts';
import { isHeldUp } from './phases.ts';
import type { Lock, StepRecord } from './record.ts';
import type { StepReason } from './reasons.ts';
import { Timers } from './timers.ts';
import type { Turn } from './turn.ts';
import { waitingReason } from './waiting.ts';

/** Steps of a run that wait for the same locks: the first of them stands in line for all. */
interface Queue {
  readonly id: string;
  readonly steps: Timers;
}

/**
 * Starts the steps of a run that may start. Those that wait for locks stand aside, so that others go on. An event costs
 * what it changes, however many steps wait.
 */
export class Starts {
  readonly #seat: Seat;
  readonly #queues = new Map<string, Queue>();
  readonly #queueOf = new Map<number, Queue>();
  /** Those whose first step must ask, as it may be its turn. */
  readonly #due = new Set<Queue>();
  #labelled: StepReason | undefined;

  constructor(ledger: Ledger, seat: Seat) {
    this.#seat = seat;
    for (const index of ledger.live) this.#seat.hold(index, ledger.step(index).node.name, ledger.of(index).locks);
  }

  /** Starts what may start. To be called at the end of a turn, when nothing else happens to any step. */
  start(turn: Turn): void {
    this.#seat.during(() => {
      this.#seat.rankAs(turn.spec.priority ?? 0, turn.state.startedAt);
      this.#relabel(turn);
      this.#follow(turn.ledger);
      this.#seat.known();
      for (const index of this.#seat.takeStirred()) this.#dueFor(this.#queueOf.get(index));
      if (hasRoom(turn)) this.#startQueued(turn);
      if (hasRoom(turn)) this.#startReady(turn);
      if (!hasRoom(turn)) this.#rest();
    });
  }

  /** Takes in what became of steps: what runs has its locks, what has ended has none, what does not wait stands in no line. */
  #follow(ledger: Ledger): void {
    for (const index of ledger.changed) {
      const record = ledger.of(index);
      if (ledger.live.has(index)) this.#seat.hold(index, ledger.step(index).node.name, record.locks);
      else this.#seat.release(index);
      if (!isHeldUp(record)) this.#drop(index);
    }
  }

  #drop(index: number): void {
    this.#seat.withdraw(index);
    const queue = this.#queueOf.get(index);
    if (queue === undefined) return;
    this.#queueOf.delete(index);
    queue.steps.set(index, undefined);
    if (queue.steps.size > 0) return this.#dueFor(queue);
    this.#queues.delete(queue.id);
    this.#due.delete(queue);
  }

  #dueFor(queue: Queue | undefined): void {
    if (queue !== undefined) this.#due.add(queue);
  }

  #startQueued(turn: Turn): void {
    const { ledger } = turn;
    const first = ({ steps }: Queue) => steps.peek()!;
    const age = (queue: Queue) => ledger.of(first(queue)).readyAt ?? 0;
    const due = [...this.#due].sort((a, b) => age(a) - age(b) || first(a) - first(b));
    for (const queue of due) {
      if (!hasRoom(turn)) return;
      this.#due.delete(queue);
      while (queue.steps.size > 0 && hasRoom(turn)) {
        const index = first(queue);
        const obstacle = this.#ask(turn, index);
        if (obstacle !== undefined) {
          this.#label(turn, index, obstacle);
          break;
        }
        this.#drop(index);
        begin(turn, index);
      }
      if (queue.steps.size > 0 && !hasRoom(turn)) this.#due.add(queue);
    }
  }

  #startReady(turn: Turn): void {
    const { ready } = turn.ledger;
    for (let index = ready.peek(); index !== undefined && hasRoom(turn); index = ready.peek()) {
      const { locks } = turn.ledger.of(index);
      const queue = locks && this.#queues.get(idOf(locks));
      const first = queue?.steps.peek();
      const obstacle = first === undefined ? this.#ask(turn, index) : obstacleIn(turn.ledger.of(first));
      if (obstacle === undefined) {
        ready.set(index, undefined);
        begin(turn, index);
      } else {
        if (locks !== undefined) this.#queue(turn, index, locks);
        this.#label(turn, index, obstacle);
        // What has no locks waits for room only, which the others lack as well.
        if (locks === undefined) return;
      }
    }
  }

  #queue({ ledger }: Turn, index: number, locks: readonly Lock[]): void {
    const id = idOf(locks);
    const queue = this.#queues.get(id) ?? { id, steps: new Timers() };
    const before = queue.steps.peek();
    queue.steps.set(index, ledger.of(index).readyAt ?? 0);
    this.#queues.set(id, queue);
    this.#queueOf.set(index, queue);
    // An older one has come to stand before the one that asked.
    if (before !== undefined && queue.steps.peek() === index) {
      this.#seat.withdraw(before);
      this.#due.add(queue);
    }
    ledger.ready.set(index, undefined);
  }

  #ask({ ledger }: Turn, index: number): Obstacle | undefined {
    const { readyAt = 0, locks } = ledger.of(index);
    return this.#seat.ask(index, ledger.step(index).node.name, readyAt, locks);
  }

  #label({ ledger }: Turn, index: number, { reason, message }: Obstacle): void {
    const record = ledger.of(index);
    if (record.reason === reason && record.message === message) return;
    ledger.put(index, { ...record, reason, message });
    if (this.#queueOf.has(index)) ledger.ready.set(index, undefined);
  }

  /** Until there is room again, nothing is kept from other runs. */
  #rest(): void {
    if (this.#seat.rest()) for (const queue of this.#queues.values()) this.#due.add(queue);
  }

  /** The waiting steps say that the run is suspended, or that it is no more. */
  #relabel({ spec, ledger }: Turn): void {
    const reason = waitingReason(spec);
    if (reason === this.#labelled) return;
    this.#labelled = reason;
    for (const index of [...ledger.ready.keys(), ...this.#queueOf.keys()]) {
      const record = ledger.of(index);
      const isWrong = reason === 'Suspended' ? record.reason !== reason : record.reason === 'Suspended';
      if (isWrong) ledger.put(index, { ...record, reason });
    }
  }
}

function hasRoom({ spec, ledger }: Turn): boolean {
  return spec.suspended !== true && ledger.live.size < spec.parallelism;
}

function begin(turn: Turn, index: number): void {
  kindOf(turn.ledger.step(index).node).attempts?.start(turn, index);
}

/** What keeps a step from starting keeps those behind it. */
function obstacleIn({ reason, message = '' }: StepRecord): Obstacle {
  return { reason: reason as Obstacle['reason'], message };
}

const idOf = (locks: readonly Lock[]) => JSON.stringify(locks);
