import type { Topology, TopologyStep } from '../graph/topology.ts';
import { dueOf } from './kinds.ts';
import { isFinal, untouched } from './phases.ts';
import type { StepPhase, StepRecord } from './record.ts';
import { Timers } from './timers.ts';

/**
 * The records of a run's steps, with all that must be found without looking at every step. The indexes follow from
 * the records alone: putting the records of another ledger into a new one gives the same ledger, which is what makes a
 * crash harmless.
 */
export class Ledger {
  readonly topology: Topology;
  /** Steps with a live attempt: in phase `Running`. */
  readonly live = new Set<number>();
  /** Steps in phase `Waiting`. */
  readonly waiting = new Set<number>();
  /** The waiting steps that only lack room, by the time since when. */
  readonly ready = new Timers();
  /** When a step must be looked at again although nothing was observed of it. */
  readonly timers = new Timers();
  /** Steps that failed and whose failure fails the run. */
  failures = 0;
  readonly #records: (StepRecord | undefined)[];
  readonly #openUpstreams: Int32Array;
  readonly #undecided: number[] = [];
  readonly #changed = new Set<number>();
  readonly #phases: Record<StepPhase, number>;

  constructor(topology: Topology, records?: ReadonlyMap<string, StepRecord>) {
    this.topology = topology;
    this.#records = new Array<StepRecord | undefined>(topology.steps.length);
    this.#openUpstreams = Int32Array.from(topology.steps, (step) => step.upstreams.length);
    this.#phases = {
      Pending: topology.steps.length,
      Waiting: 0,
      Running: 0,
      Succeeded: 0,
      Failed: 0,
      Skipped: 0,
      Cancelled: 0,
    };
    for (const step of topology.steps) {
      if (step.upstreams.length === 0) this.#undecided.push(step.index);
      const record = records?.get(step.node.name);
      if (record !== undefined) this.put(step.index, record);
    }
    this.#changed.clear();
  }

  step(index: number): TopologyStep {
    return this.topology.steps[index]!;
  }

  /** A step's record; the default for one that nothing happened to. */
  of(index: number): StepRecord {
    return this.#records[index] ?? untouched;
  }

  /** Whether there is a record that must be kept. */
  isTouched(index: number): boolean {
    return this.#records[index] !== undefined;
  }

  count(phase: StepPhase): number {
    return this.#phases[phase];
  }

  get allFinal(): boolean {
    return this.#phases.Pending + this.#phases.Waiting + this.#phases.Running === 0;
  }

  /** Replaces a step's record. */
  put(index: number, record: StepRecord): void {
    const before = this.of(index).phase;
    const { node, downstreams } = this.step(index);
    this.#records[index] = record;
    this.#changed.add(index);
    this.#phases[before] -= 1;
    this.#phases[record.phase] += 1;
    keep(this.live, index, record.phase === 'Running');
    keep(this.waiting, index, record.phase === 'Waiting');
    const ready = record.phase === 'Waiting' && record.reason !== 'Backoff';
    this.ready.set(index, ready ? (record.retryAt ?? record.readyAt ?? 0) : undefined);
    this.timers.set(index, dueOf(node, record));
    if (!isFinal(record.phase) || isFinal(before)) return;
    if (record.phase === 'Failed' && node.continueOnFailure !== true) this.failures += 1;
    for (const downstream of downstreams) {
      const open = this.#openUpstreams[downstream]! - 1;
      this.#openUpstreams[downstream] = open;
      if (open === 0) this.#undecided.push(downstream);
    }
  }

  /** A step whose upstreams have all ended and of which nothing was decided yet. */
  takeUndecided(): number | undefined {
    for (;;) {
      const index = this.#undecided.pop();
      if (index === undefined || this.of(index).phase === 'Pending') return index;
    }
  }

  /** How many upstreams of a step have not ended. */
  openUpstreams(index: number): number {
    return this.#openUpstreams[index]!;
  }

  /** The records that were put since the last call, by step. */
  takeChanges(): Map<string, StepRecord> {
    const changes = new Map<string, StepRecord>();
    for (const index of this.#changed) changes.set(this.step(index).node.name, this.of(index));
    this.#changed.clear();
    return changes;
  }
}

function keep(set: Set<number>, index: number, belongs: boolean): void {
  if (belongs) set.add(index);
  else set.delete(index);
}
