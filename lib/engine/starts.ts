import type { StepNode } from '../graph/graph.ts';
import { kindOf, lacksRoom } from './kinds.ts';
import type { Ledger } from './ledger.ts';
import type { Seat } from './lock-table.ts';
import type { Obstacle } from './obstacle.ts';
import { isHeldUp } from './phases.ts';
import type { Lock } from './record.ts';
import type { StepReason } from './reasons.ts';
import { heldBack, serviceStep } from './service-step.ts';
import { Timers } from './timers.ts';
import type { Turn } from './turn.ts';
import { waitingReason } from './waiting.ts';

/** Steps of a run that wait for the same locks, the oldest first: it stands in line for all of them. */
interface Queue {
  readonly id: string;
  readonly steps: Timers;
  /** Those that do not say yet what they wait for. */
  readonly silent: Set<number>;
}

/**
 * Starts the steps of a run that may start. Those that wait for locks stand aside, so that others go on. An event costs
 * what it changes, however many steps wait.
 */
export class Starts {
  readonly #seat: Seat;
  readonly #queues = new Map<string, Queue>();
  readonly #queueOf = new Map<number, Queue>();
  /** The first steps of queues that must ask, as it may be their turn. */
  readonly #due = new Timers();
  #labelled: StepReason | undefined;

  constructor(ledger: Ledger, seat: Seat) {
    this.#seat = seat;
    for (const index of ledger.live) this.#hold(ledger, index);
    for (const index of ledger.waiting) this.#followWaiting(ledger, index);
  }

  /** Starts what may start. To be called at the end of a turn, when nothing else happens to any step. */
  start(turn: Turn): void {
    this.#seat.during(() => {
      this.#seat.rankAs(turn.spec.priority ?? 0, turn.state.startedAt);
      this.#release(turn);
      this.#relabel(turn);
      this.#follow(turn.ledger);
      this.#seat.known();
      for (const index of this.#seat.takeStirred()) this.#mustAsk(this.#queueOf.get(index));
      this.#startServices(turn);
      this.#startAll(turn);
      if (!hasRoom(turn)) this.#rest();
    });
  }

  /** Takes in what became of steps: what runs has its locks, what has ended has none, what does not wait stands in no line. */
  #follow(ledger: Ledger): void {
    for (const index of ledger.changed) {
      if (ledger.live.has(index)) this.#hold(ledger, index);
      else this.#seat.release(index);
      this.#followWaiting(ledger, index);
    }
  }

  #hold(ledger: Ledger, index: number): void {
    const { node } = ledger.step(index);
    if (!isApart(node)) this.#seat.hold(index, node.name, ledger.of(index).locks);
  }

  #followWaiting(ledger: Ledger, index: number): void {
    const record = ledger.of(index);
    if (!lacksRoom(ledger.step(index).node, record)) return this.#drop(index);
    if (record.locks === undefined) return;
    const queue = this.#queueFor(record.locks);
    if (this.#queueOf.get(index) === undefined) {
      const before = queue.steps.peek();
      queue.steps.set(index, record.readyAt ?? 0);
      this.#queueOf.set(index, queue);
      if (queue.steps.peek() === index) {
        if (before !== undefined) this.#withdraw(before);
        this.#mustAsk(queue);
      }
    }
    if (!isHeldUp(record)) queue.silent.add(index);
  }

  #queueFor(locks: readonly Lock[]): Queue {
    const id = JSON.stringify(locks);
    const queue = this.#queues.get(id) ?? { id, steps: new Timers(), silent: new Set() };
    this.#queues.set(id, queue);
    return queue;
  }

  /** The step waits no more. */
  #drop(index: number): void {
    this.#withdraw(index);
    const queue = this.#queueOf.get(index);
    if (queue === undefined) return;
    this.#queueOf.delete(index);
    queue.steps.set(index, undefined);
    queue.silent.delete(index);
    if (queue.steps.size > 0) this.#mustAsk(queue);
    else this.#queues.delete(queue.id);
  }

  #withdraw(index: number): void {
    this.#seat.withdraw(index);
    this.#due.set(index, undefined);
  }

  #mustAsk(queue: Queue | undefined): void {
    if (queue !== undefined) this.#due.set(queue.steps.peek()!, queue.steps.next());
  }

  /** Those whose services are up again wait for their turn. */
  #release({ ledger, spec }: Turn): void {
    if (!ledger.services.takeNews()) return;
    for (const index of [...ledger.services.held].sort((a, b) => a - b))
      if (ledger.isServed(index))
        ledger.put(index, { ...ledger.of(index), reason: waitingReason(spec), message: undefined });
  }

  /** They take no room, or those who need them might have it and wait for them. */
  #startServices(turn: Turn): void {
    const { ledger, spec } = turn;
    while (spec.suspended !== true) {
      const index = ledger.readyServices.peek();
      if (index === undefined) return;
      if (ledger.isServed(index)) {
        ledger.readyServices.set(index, undefined);
        serviceStep.attempts!.start(turn, index);
      } else ledger.put(index, heldBack(ledger, index));
    }
  }

  /** In the order of their age, while there is room. */
  #startAll(turn: Turn): void {
    const { ledger } = turn;
    let crowded = false;
    while (hasRoom(turn)) {
      const index = first(crowded ? undefined : ledger.ready, this.#due);
      if (index === undefined) return;
      if (!ledger.isServed(index)) {
        ledger.put(index, heldBack(ledger, index));
        this.#drop(index);
        continue;
      }
      const { readyAt = 0, locks } = ledger.of(index);
      const { node } = ledger.step(index);
      const obstacle = isApart(node) ? undefined : this.#seat.ask(index, node.name, readyAt, locks);
      if (obstacle === undefined) {
        this.#drop(index);
        ledger.ready.set(index, undefined);
        kindOf(node).attempts?.start(turn, index);
      } else {
        this.#label(turn, index, obstacle);
        this.#due.set(index, undefined);
        // What has no locks waits for room that all others without locks lack as well.
        crowded ||= locks === undefined;
      }
    }
  }

  /** The step says what it waits for, and so do those behind it that did not yet. */
  #label({ ledger }: Turn, index: number, { reason, message }: Obstacle): void {
    const { silent = new Set<number>() } = this.#queueOf.get(index) ?? {};
    for (const each of silent.add(index)) {
      const record = ledger.of(each);
      if (record.reason !== reason || record.message !== message) ledger.put(each, { ...record, reason, message });
    }
    silent.clear();
  }

  /** Until there is room again, nothing is kept from other runs. */
  #rest(): void {
    if (this.#seat.rest()) for (const queue of this.#queues.values()) this.#mustAsk(queue);
  }

  /** The waiting steps say that the run is suspended, or that it is no more. */
  #relabel({ spec, ledger }: Turn): void {
    const reason = waitingReason(spec);
    if (reason === this.#labelled) return;
    this.#labelled = reason;
    for (const index of [...ledger.ready.keys(), ...ledger.readyServices.keys(), ...this.#queueOf.keys()]) {
      const record = ledger.of(index);
      if (record.phase !== 'Waiting') continue;
      const isWrong = reason === 'Suspended' ? record.reason !== reason : record.reason === 'Suspended';
      if (isWrong) ledger.put(index, { ...record, reason });
    }
  }
}

function hasRoom({ spec, ledger }: Turn): boolean {
  return spec.suspended !== true && ledger.running < spec.parallelism;
}

/** A run of its own takes nothing that its own steps may need, nor a service what those may that need it: they would wait for it, and it for them. */
const isApart = ({ kind }: StepNode) => kind === 'run' || kind === 'service';

/** The step that has waited for longest, of both. */
function first(a: Timers | undefined, b: Timers): number | undefined {
  const [x, y] = [a?.peek(), b.peek()];
  if (x === undefined || y === undefined) return x ?? y;
  const [since, other] = [a!.next()!, b.next()!];
  return since < other || (since === other && x < y) ? x : y;
}
