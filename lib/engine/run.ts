import type { Topology } from '../graph/topology.ts';
import type { Command, Decision, Observation, RunSpec } from './advance.ts';
import { takeAnswers } from './cache.ts';
import { decide } from './decide.ts';
import { endEarly, runTimeoutAt } from './ending.ts';
import { explainStep } from './explain.ts';
import { kindOf } from './kinds.ts';
import { forsake } from './service-step.ts';
import { Ledger } from './ledger.ts';
import { LockTable, type Seat } from './lock-table.ts';
import { liveAttempt } from './phases.ts';
import type { Instant, RunRecord, RunState, StepRecord } from './record.ts';
import type { StepReason } from './reasons.ts';
import { endOf } from './run-end.ts';
import { isEnding } from './run-state.ts';
import { sightingsOf } from './sightings.ts';
import { Skips } from './skips.ts';
import { Starts } from './starts.ts';
import { Strays } from './strays.ts';
import type { Sighting, Turn } from './turn.ts';

/** A live attempt: created, its end not seen. */
export interface LiveAttempt {
  readonly step: string;
  readonly attempt: number;
  /** Set when its end was asked for. */
  readonly stopping?: StepReason;
  /** Whether anything was ever seen of it. One that was seen and is gone has failed (`system`, `PodDeleted`); one that was not may still have to be created. */
  readonly seen: boolean;
}

/** Steps by how they stand, as a run's Job reports them. */
export interface StepCounts {
  readonly active: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  readonly cancelled: number;
  readonly total: number;
}

/**
 * A run of a graph: its record, and the rules by which it goes on. It knows no clock and does nothing itself: it is told
 * what was seen and what time it is, and answers with what is to be done.
 *
 * What it decides follows from the graph, the record and what it is told. So a run that is rebuilt from a record that was
 * kept goes on as the one that kept it would have. Its first {@link Run.advance} repeats the commands that may have been lost:
 * `start` for attempts nothing was seen of, `stop` for those whose end was asked for.
 *
 * Building one costs time in proportion to the graph; an event then costs what it changes, however large the graph.
 */
export class Run {
  readonly #ledger: Ledger;
  #spec: RunSpec;
  #state: RunState;
  #started: boolean;
  #repeatCommands: boolean;
  /** The answers that were looked at. */
  #answers: RunSpec['answers'];
  readonly #skips = new Skips();
  readonly #starts: Starts;
  readonly #strays = new Strays();

  /** `record`: left out for a run that begins now. `seat`: among the runs that it shares locks with; left out for a run alone. */
  constructor(topology: Topology, spec: RunSpec, record?: RunRecord, seat = seatOf(spec)) {
    this.#spec = spec;
    this.#ledger = new Ledger(topology, record);
    this.#starts = new Starts(this.#ledger, seat);
    this.#ledger.stirAll();
    this.#started = record !== undefined;
    this.#repeatCommands = record !== undefined;
    this.#state = record?.run ?? { phase: 'Running', reason: 'Started', startedAt: 0 };
  }

  /** Before the first {@link Run.advance}, `startedAt` is 0. */
  get state(): RunState {
    return this.#state;
  }

  get finished(): boolean {
    return this.#state.phase !== 'Running';
  }

  /** @throws Error when the graph has no such step. */
  step(name: string): StepRecord {
    return this.#ledger.of(this.#index(name));
  }

  /** All that must be kept. */
  record(): RunRecord {
    const steps = new Map<string, StepRecord>();
    for (const { index, node } of this.#ledger.topology.steps)
      if (this.#ledger.isTouched(index)) steps.set(node.name, this.#ledger.of(index));
    const items = new Map(
      this.#ledger.items.all().map(({ map, records }) => [this.#ledger.step(map).node.name, records]),
    );
    return { run: this.#state, steps, ...(items.size > 0 && { items }) };
  }

  /** What a shell must find again after a restart. */
  *liveAttempts(): Generator<LiveAttempt> {
    for (const index of this.#ledger.live) {
      const attempt = liveAttempt(this.#ledger.of(index));
      if (attempt === undefined) continue;
      const { number, stopping, reason } = attempt;
      const step = this.#ledger.step(index).node.name;
      yield { step, attempt: number, ...(stopping && { stopping }), seen: reason !== 'Created' };
    }
  }

  /** Costs the same whatever the size of the graph. */
  counts(): StepCounts {
    const ledger = this.#ledger;
    return {
      active: ledger.live.size,
      succeeded: ledger.count('Succeeded'),
      failed: ledger.count('Failed'),
      skipped: ledger.count('Skipped'),
      cancelled: ledger.count('Cancelled'),
      total: ledger.topology.steps.length,
    };
  }

  /** In a sentence, why a step is where it is; of a waiting step, what it waits for. */
  explain(step: string, now: Instant): string {
    return explainStep({ ledger: this.#ledger, spec: this.#spec, state: this.#state, now }, this.#index(step));
  }

  /**
   * Takes in what was seen, what was changed of the spec (all but name and inputs) and the time, and decides what is to be done.
   * The first call starts the run. A run that has finished stays as it is.
   */
  advance(now: Instant, observations: readonly Observation[] = [], spec?: RunSpec): Decision {
    const before = this.#state;
    const started = this.#started;
    if (spec !== undefined && spec.parallelism !== this.#spec.parallelism) this.#ledger.stirAll();
    if (spec !== undefined) this.#spec = { ...spec, name: this.#spec.name, inputs: this.#spec.inputs };
    const time = Math.trunc(now);
    if (!started) this.#state = { ...this.#state, startedAt: time };
    this.#started = true;
    const commands: Command[] = [];
    const turn: Turn = { now: time, spec: this.#spec, ledger: this.#ledger, commands, state: this.#state };

    for (const sighting of sightingsOf(this.#ledger, observations)) this.#observe(turn, sighting);
    const isAnswered = takeAnswers(turn, observations, (index) =>
      kindOf(this.#ledger.step(index).node).attempts?.start(turn, index),
    );
    const isLastUse = !this.finished && this.#go(turn);
    const writeFirst = isAnswered || isLastUse;

    const changed = this.#state !== before || !started;
    const wakeAt = this.finished ? undefined : this.#wakeAt(turn);
    return {
      ...this.#ledger.takeChanges(),
      ...(changed && { run: this.#state }),
      commands,
      ...(writeFirst && { writeFirst }),
      ...(wakeAt !== undefined && { wakeAt }),
    };
  }

  #observe(turn: Turn, sighting: Sighting): void {
    if (this.#strays.take(turn, sighting)) return;
    const { index } = sighting;
    kindOf(this.#ledger.step(index).node).attempts?.observe(turn, sighting);
    this.#adopt(turn, index);
  }

  /** Takes in what was seen early of a step's attempts, if the step has come to where they can be, or past it; returns whether it has. */
  #adopt(turn: Turn, index: number): boolean {
    const { phase } = this.#ledger.of(index);
    if (phase === 'Pending' || phase === 'Running') return false;
    for (const sighting of this.#strays.release(index)) this.#observe(turn, sighting);
    return true;
  }

  /** Decides all steps whose upstreams have ended, and those that this ends in turn. */
  #settle(turn: Turn): void {
    for (;;) {
      const index = this.#ledger.takeUndecided();
      const forsaken = index === undefined ? this.#ledger.takeForsaken() : undefined;
      const stirred = (index ?? forsaken) === undefined ? this.#ledger.takeStirred() : undefined;
      if (index !== undefined) this.#decide(turn, index);
      else if (forsaken !== undefined) forsake(turn, forsaken);
      else if (stirred !== undefined) this.#stir(turn, stirred);
      else if ([...this.#strays.steps].filter((step) => this.#adopt(turn, step)).length === 0) return;
    }
  }

  #decide(turn: Turn, index: number): void {
    const exists = this.#strays.has(turn, index);
    decide(turn, index, exists);
    // Whether a service that has a pod is still needed was not asked while it had not begun.
    if (exists) this.#ledger.stir(index);
  }

  /**
   * An item that an attempt was seen of was let start, whatever has become of its map since; and a service that an attempt was seen
   * of has begun, whatever has become of those who need it.
   */
  #stir(turn: Turn, stirred: number): void {
    const { items } = this.#ledger;
    if (this.#ledger.step(stirred).node.kind === 'service' && this.#strays.has(turn, stirred))
      if (!this.#adopt(turn, stirred)) return;
    for (const step of [...this.#strays.steps])
      if (
        items.mapOf(step) === stirred &&
        items.owner(step) !== undefined &&
        this.#ledger.of(step).phase === 'Pending'
      ) {
        this.#ledger.put(step, kindOf(this.#ledger.step(step).node).ready(turn, step));
        this.#adopt(turn, step);
      }
    kindOf(this.#ledger.step(stirred).node).stir?.(turn, stirred);
  }

  #expire(turn: Turn): void {
    for (;;) {
      this.#settle(turn);
      const index = this.#ledger.timers.take(turn.now);
      if (index === undefined) return;
      kindOf(this.#ledger.step(index).node).expire(turn, index);
    }
  }

  /** Tells the steps that wait what was said to them since the last time. Those that come to wait later ask for it. */
  #answer(turn: Turn): void {
    const { answers } = this.#spec;
    if (answers === this.#answers) return;
    this.#answers = answers;
    for (const name of Object.keys(answers ?? {})) {
      const step = this.#ledger.topology.byName.get(name);
      if (step && this.#ledger.of(step.index).phase === 'Waiting') kindOf(step.node).answer?.(turn, step.index);
    }
  }

  /** Returns whether a service is stopped: a new shell that sees it end must know that. */
  #go(before: Turn): boolean {
    this.#skips.apply(before, (index) => this.#strays.has(before, index));
    this.#answer(before);
    this.#expire(before);
    this.#state = endEarly(before, before.state);
    const turn = { ...before, state: this.#state };
    if (this.#state !== before.state) this.#ledger.stirAll();
    this.#settle(turn);
    this.#starts.start(turn);
    const stopsService = turn.commands.some(
      (command) =>
        command.kind === 'stop' && command.reason === 'ServiceStopped' && this.step(command.step).phase === 'Running',
    );
    if (this.#repeatCommands) this.#repeat(turn);
    this.#repeatCommands = false;
    if (this.#ledger.allFinal) this.#state = endOf(turn, this.#state);
    else if (!isEnding(this.#state)) this.#showSuspension();
    return stopsService;
  }

  #repeat(turn: Turn): void {
    const fresh = new Set(turn.commands.map((command) => command.step));
    for (const index of [...turn.ledger.live, ...turn.ledger.waiting]) {
      const { node } = turn.ledger.step(index);
      if (!fresh.has(node.name)) kindOf(node).attempts?.repeat(turn, index);
    }
  }

  #showSuspension(): void {
    const suspended = this.#spec.suspended === true && this.#ledger.live.size === 0;
    const reason = suspended ? 'Suspended' : 'Started';
    if (this.#state.reason !== reason) this.#state = { ...this.#state, reason };
  }

  #wakeAt(turn: Turn): Instant | undefined {
    const times = [this.#ledger.timers.next(), runTimeoutAt(turn, this.#state)].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.ceil(Math.min(...times));
  }

  #index(name: string): number {
    const index = this.#ledger.find(name);
    if (index === undefined) throw new Error(`the graph has no step ${JSON.stringify(name)}`);
    return index;
  }
}

function seatOf({ name }: RunSpec): Seat {
  return new LockTable().join({ uid: name, namespace: '', name }, () => {});
}
