import { Line, type Claim, type Need } from './line.ts';
import type { Instant, Lock } from './record.ts';
import { obstacleOf, type Obstacle } from './obstacle.ts';

/** Tells runs apart. */
export interface RunId {
  /** Of its Job: unlike names, these are not given twice. */
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

/** How many steps may run at once, whatever their runs allow. */
export interface StepLimits {
  /** Of all runs. @default as many as the runs allow */
  readonly maxSteps?: number;
  /** Of the runs of one namespace. @default as many as the runs allow */
  readonly maxStepsPerNamespace?: number;
}

/**
 * The locks and limits of all runs that a shell looks after: who has them and who waits. A step takes all that it needs or
 * nothing, so that none has one lock while it waits for another. Who waits longer, or in a run of higher priority, keeps
 * its place in the line of each key: nobody behind it takes what it needs, so that it gets its turn.
 *
 * Who has a lock follows from the records of runs: a step does while it is `Running`. After a restart nothing that concerns
 * a namespace is given out before all its runs that may have had something are known.
 */
export class LockTable {
  readonly limits: StepLimits;
  readonly #lines = new Map<string, Line>();
  readonly #seats = new Map<string, Seat>();
  /** Runs that may have something that is not known yet, by namespace. */
  readonly #expected = new Map<string, Set<string>>();

  constructor(limits: StepLimits = {}) {
    this.limits = limits;
  }

  /** This run was active before, and what it has will be known later. */
  expect({ namespace, uid }: RunId): void {
    const expected = this.#expected.get(namespace) ?? new Set();
    this.#expected.set(namespace, expected.add(uid));
  }

  /**
   * A run's place. What an earlier seat of the same run had is free; the run says anew what it has.
   *
   * @param wake called when the run may get what it waits for, and not while it asks for it
   */
  join(run: RunId, wake: () => void): Seat {
    this.#seats.get(run.uid)?.leave();
    const seat = new Seat(this, run, wake);
    this.#seats.set(run.uid, seat);
    return seat;
  }

  /** The run is over or gone: it has nothing and waits for nothing. */
  forget(run: RunId): void {
    this.#seats.get(run.uid)?.leave();
    this.#seats.delete(run.uid);
    this.known(run);
  }

  /** All that the run has is known. */
  known({ namespace, uid }: RunId): void {
    const expected = this.#expected.get(namespace);
    if (!expected?.delete(uid)) return;
    if (expected.size > 0) return;
    this.#expected.delete(namespace);
    for (const id of this.#lines.keys()) this.stir(id);
  }

  /** How many runs must be known before something of this scope is given out. */
  unknown({ lock, line }: Need, namespace: string): number {
    if (lock?.scope === 'run') return 0;
    const isWide = lock === undefined ? line === ALL_STEPS : lock.scope === 'controller';
    const sets = isWide ? [...this.#expected.values()] : [this.#expected.get(namespace) ?? new Set()];
    return sets.reduce((sum, { size }) => sum + size, 0);
  }

  /** The line of a key, whether or not anybody stands there. */
  line(id: string): Line {
    const line = this.#lines.get(id) ?? new Line();
    this.#lines.set(id, line);
    return line;
  }

  /** Something has become free: whose turn it is, is told so. */
  stir(id: string): void {
    const line = this.#lines.get(id);
    if (line?.isEmpty) this.#lines.delete(id);
    for (const claim of [...(line?.next() ?? [])]) claim.seat.stir(claim);
  }

  /** All that a step needs to run. */
  needs({ uid, namespace }: RunId, locks: readonly Lock[] = []): readonly Need[] {
    const { maxSteps, maxStepsPerNamespace } = this.limits;
    if (locks.length === 0 && maxSteps === undefined && maxStepsPerNamespace === undefined) return NOTHING;
    const places = {
      run: `run ${uid}`,
      namespace: `namespace ${namespace}`,
      controller: 'controller',
      result: `results ${namespace}`,
    };
    return [
      ...locks.map((lock) => ({ line: `${places[lock.scope]} ${lock.key}`, limit: lock.limit, lock })),
      ...(maxStepsPerNamespace === undefined ? [] : [{ line: `steps ${namespace}`, limit: maxStepsPerNamespace }]),
      ...(maxSteps === undefined ? [] : [{ line: ALL_STEPS, limit: maxSteps }]),
    ];
  }
}

const ALL_STEPS = 'steps';
const NOTHING: readonly Need[] = [];

/** What one run has and waits for. */
export class Seat {
  readonly run: RunId;
  readonly #table: LockTable;
  readonly #wake: () => void;
  readonly #held = new Map<number, Claim>();
  readonly #waiting = new Map<number, Claim>();
  readonly #stirred = new Set<number>();
  #rank = { priority: 0, startedAt: 0 };
  #busy = false;
  #woken = false;

  /** @internal See {@link LockTable.join}. */
  constructor(table: LockTable, run: RunId, wake: () => void) {
    this.#table = table;
    this.run = run;
    this.#wake = wake;
  }

  /** Where the run stands among others. */
  get rank(): { readonly priority: number; readonly startedAt: Instant } {
    return this.#rank;
  }

  /** Does something in the course of which the run needs not be woken. */
  during(work: () => void): void {
    this.#busy = true;
    try {
      work();
    } finally {
      this.#busy = false;
      if (this.#stirred.size > 0) this.#wakeOnce();
    }
  }

  /** What is said of the run's place; it may change. */
  rankAs(priority: number, startedAt: Instant): void {
    if (priority === this.#rank.priority && startedAt === this.#rank.startedAt) return;
    const lines = [...this.#waiting.values()].flatMap((claim) => {
      return claim.needs.filter(({ line }) => this.#table.line(line).leave(claim)).map((need) => ({ claim, need }));
    });
    this.#rank = { priority, startedAt };
    for (const { claim, need } of lines) this.#table.line(need.line).enter(claim, need.limit);
    for (const { need } of lines) this.#table.stir(need.line);
  }

  /** All that the run has is said. */
  known(): void {
    this.#table.known(this.run);
  }

  has(index: number): boolean {
    return this.#held.has(index);
  }

  /** The step runs, so it has its locks, whatever their limits. */
  hold(index: number, step: string, locks: readonly Lock[] | undefined): void {
    if (this.#held.has(index)) return;
    const needs = this.#table.needs(this.run, locks);
    if (needs.length === 0) return;
    this.withdraw(index);
    this.#take({ seat: this, index, step, readyAt: 0, needs });
  }

  /** The step runs no more. */
  release(index: number): void {
    const claim = this.#held.get(index);
    if (claim === undefined) return;
    this.#held.delete(index);
    for (const { line } of claim.needs) this.#table.line(line).holders.delete(claim);
    for (const { line } of claim.needs) this.#table.stir(line);
  }

  /** Takes all that a step needs to run; or tells what is in its way, and the step has its place in line from then on. */
  ask(index: number, step: string, readyAt: Instant, locks: readonly Lock[] | undefined): Obstacle | undefined {
    const claim = this.#waiting.get(index) ?? {
      seat: this,
      index,
      step,
      readyAt,
      needs: this.#table.needs(this.run, locks),
    };
    if (claim.needs.length === 0) return undefined;
    this.#waiting.set(index, claim);
    const ofLocks = claim.needs.filter(({ lock }) => lock !== undefined);
    const ofSteps = claim.needs.filter(({ lock }) => lock === undefined);
    const locked = this.#obstacle(claim, ofLocks);
    if (locked !== undefined) {
      // Who waits for a lock leaves the room to others.
      for (const { line } of ofSteps) if (this.#table.line(line).leave(claim)) this.#table.stir(line);
      return locked;
    }
    const crowded = this.#obstacle(claim, ofSteps);
    if (crowded !== undefined) return crowded;
    for (const { line } of claim.needs) this.#table.line(line).leave(claim);
    this.#waiting.delete(index);
    this.#take(claim);
    return undefined;
  }

  /** The step waits no more. */
  withdraw(index: number): void {
    const claim = this.#waiting.get(index);
    if (claim !== undefined) this.#withdraw([claim]);
  }

  /** No step of the run could start now: they leave the lines, so as to keep nothing from others. Returns whether one stood there. */
  rest(): boolean {
    const claims = [...this.#waiting.values()];
    this.#withdraw(claims);
    this.#stirred.clear();
    return claims.length > 0;
  }

  /** The run has nothing and waits for nothing. */
  leave(): void {
    this.rest();
    for (const index of [...this.#held.keys()]) this.release(index);
  }

  /** @internal It may be the claim's turn. */
  stir(claim: Claim): void {
    this.#stirred.add(claim.index);
    if (!this.#busy) this.#wakeOnce();
  }

  #wakeOnce(): void {
    if (this.#woken) return;
    this.#woken = true;
    this.#wake();
  }

  /** The steps whose turn it may be. */
  takeStirred(): readonly number[] {
    const stirred = [...this.#stirred];
    this.#stirred.clear();
    this.#woken = false;
    return stirred;
  }

  #obstacle(claim: Claim, needs: readonly Need[]): Obstacle | undefined {
    for (const { line, limit } of needs) this.#table.line(line).enter(claim, limit);
    for (const need of needs) {
      const line = this.#table.line(need.line);
      const unknown = this.#table.unknown(need, this.run.namespace);
      if (unknown > 0 || !line.isNext(claim)) return obstacleOf(claim, need, line, unknown);
    }
    return undefined;
  }

  #take(claim: Claim): void {
    this.#held.set(claim.index, claim);
    for (const { line, limit } of claim.needs) this.#table.line(line).holders.set(claim, limit);
  }

  #withdraw(claims: readonly Claim[]): void {
    const lines = new Set<string>();
    for (const claim of claims) {
      this.#waiting.delete(claim.index);
      for (const { line } of claim.needs) if (this.#table.line(line).leave(claim)) lines.add(line);
    }
    for (const line of lines) this.#table.stir(line);
  }
}
