import type { Role, StepNode } from '../graph/graph.ts';
import type { Topology, TopologyStep } from '../graph/topology.ts';
import { EndsWatch } from './ends-watch.ts';
import { dueOf, lacksRoom } from './kinds.ts';
import { endingOf, isFinal, untouched } from './phases.ts';
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
  /** What steps with a `depends` wait for. */
  readonly #watches = new Map<number, EndsWatch>();
  /** How many steps look at a step's end by their `depends`, and ran or still may. */
  readonly #openDependents: Int32Array;
  /** Steps that have not ended, by the stage in which they run. */
  readonly #open: Record<Stage, number> = { main: 0, onFailure: 0, finally: 0 };
  readonly #undecided: number[] = [];
  readonly #changed = new Set<number>();
  readonly #phases: Record<StepPhase, number>;

  constructor(topology: Topology, records?: ReadonlyMap<string, StepRecord>) {
    this.topology = topology;
    this.#records = new Array<StepRecord | undefined>(topology.steps.length);
    this.#openUpstreams = Int32Array.from(topology.steps, (step) => step.edges.size);
    this.#openDependents = Int32Array.from(topology.steps, (step) => step.dependents.length);
    for (const { index, node } of topology.steps) {
      this.#open[stageOf(node)] += 1;
      if (node.depends !== undefined) this.#watches.set(index, new EndsWatch(node.depends));
    }
    this.#phases = {
      Pending: topology.steps.length,
      Waiting: 0,
      Running: 0,
      Succeeded: 0,
      Failed: 0,
      Skipped: 0,
      Cancelled: 0,
    };
    for (const { index } of topology.steps) this.#offer(index);
    for (const { index, node } of topology.steps) {
      const record = records?.get(node.name);
      if (record !== undefined) this.put(index, record);
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
    const { node } = this.step(index);
    this.#records[index] = record;
    this.#changed.add(index);
    this.#phases[before] -= 1;
    this.#phases[record.phase] += 1;
    keep(this.live, index, record.phase === 'Running');
    keep(this.waiting, index, record.phase === 'Waiting');
    this.ready.set(index, lacksRoom(node, record) ? (record.retryAt ?? record.readyAt ?? 0) : undefined);
    this.timers.set(index, dueOf(node, record));
    if (isFinal(record.phase) && !isFinal(before)) this.#end(index, record);
  }

  /** Tells the steps that wait for this one that it has ended. */
  #end(index: number, { phase }: StepRecord): void {
    const { node, downstreams, dependents, dependsOn } = this.step(index);
    for (const downstream of downstreams) {
      this.#openUpstreams[downstream]! -= 1;
      this.#offer(downstream);
    }
    for (const dependent of dependents) {
      this.#watches.get(dependent)!.tell(node.name, endingOf(phase)!);
      this.#offer(dependent);
    }
    if (this.isFailure(index)) this.failures += 1;
    if (phase === 'Skipped' || phase === 'Cancelled')
      for (const upstream of dependsOn) {
        this.#openDependents[upstream]! -= 1;
        if (this.#openDependents[upstream] === 0 && this.isFailure(upstream)) this.failures += 1;
      }
    this.#open[stageOf(node)] -= 1;
    if (this.#open[stageOf(node)] === 0) for (const { index: other } of this.topology.handlers) this.#offer(other);
  }

  /**
   * Whether a step's failure fails the run: nothing goes on in spite of it. A step goes on in spite of a failure if its
   * `depends` speaks of the failed one and it was not skipped or cancelled.
   */
  isFailure(index: number): boolean {
    const { continueOnFailure } = this.step(index).node;
    return this.of(index).phase === 'Failed' && continueOnFailure !== true && this.#openDependents[index] === 0;
  }

  /** How many steps of a stage have not ended. */
  open(stage: Stage): number {
    return this.#open[stage];
  }

  /** A step whose time has come is decided next. */
  #offer(index: number): void {
    if (this.of(index).phase === 'Pending' && this.#isDecidable(index)) this.#undecided.push(index);
  }

  #isDecidable(index: number): boolean {
    const stage = stageOf(this.step(index).node);
    if (this.#openUpstreams[index] !== 0) return false;
    if (stage !== 'main' && this.#open.main > 0) return false;
    if (stage === 'finally' && this.#open.onFailure > 0) return false;
    const watch = this.#watches.get(index);
    return watch === undefined || watch.holds !== undefined;
  }

  /** Whether what a step's `depends` says holds. It is decided. */
  holds(index: number): boolean {
    return this.#watches.get(index)?.holds ?? true;
  }

  /** A step whose upstreams have all ended and of which nothing was decided yet. */
  takeUndecided(): number | undefined {
    for (;;) {
      const index = this.#undecided.pop();
      if (index === undefined || this.of(index).phase === 'Pending') return index;
    }
  }

  /** The records that were put since the last call, by step. */
  takeChanges(): Map<string, StepRecord> {
    const changes = new Map<string, StepRecord>();
    for (const index of this.#changed) changes.set(this.step(index).node.name, this.of(index));
    this.#changed.clear();
    return changes;
  }
}

/** The main steps run first, then those for failures, then those that run whatever happened. */
export type Stage = 'main' | Role;

export function stageOf({ role }: StepNode): Stage {
  return role ?? 'main';
}

function keep(set: Set<number>, index: number, belongs: boolean): void {
  if (belongs) set.add(index);
  else set.delete(index);
}
