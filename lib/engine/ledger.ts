import type { GroupStep } from '../graph/graph.ts';
import type { Topology, TopologyStep } from '../graph/topology.ts';
import type { JsonObject } from '../values/json.ts';
import type { Decision } from './advance.ts';
import { blockKey, ITEMS_PER_BLOCK, type ItemBlock } from './item-codec.ts';
import { ItemSlots } from './item-slots.ts';
import { itemOutputs } from './item-values.ts';
import { dueOf, fitsKind, kindOf, lacksRoom } from './kinds.ts';
import { isFinal, untouched } from './phases.ts';
import { Prerequisites, type Stage } from './prerequisites.ts';
import type { RunRecord, StepPhase, StepRecord } from './record.ts';
import { Services } from './services.ts';
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
  /** The waiting steps without locks that only lack room, by the time since when. */
  readonly ready = new Timers();
  /** The same of services, which take no room. */
  readonly readyServices = new Timers();
  readonly services: Services;
  /** When a step must be looked at again although nothing was observed of it. */
  readonly timers = new Timers();
  /** Steps that failed and whose failure fails the run. */
  failures = 0;
  readonly #records: (StepRecord | undefined)[];
  readonly #prerequisites: Prerequisites;
  /** How many steps look at a step's end by their `depends`, and ran or still may. */
  readonly #openDependents: Int32Array;
  readonly #undecided: number[] = [];
  readonly #changed = new Set<number>();
  /** The items of map steps. */
  readonly items: ItemSlots;
  /** Steps that wait although a service that they need has ended. */
  readonly #forsaken: number[] = [];
  /**
   * Map steps that must be looked at, since something has happened to their items, and services, since something has to who needs
   * them. In the order of the graph, whichever was stirred first: a run that is rebuilt from its record stirs them all.
   */
  readonly #stirred = new Timers();
  /** What map steps that have ended give. */
  readonly #itemOutputs = new Map<number, JsonObject>();
  readonly #phases: Record<StepPhase, number>;

  constructor(
    topology: Topology,
    { steps: records, items }: Pick<RunRecord, 'steps' | 'items'> = { steps: new Map() },
  ) {
    this.topology = topology;
    this.items = new ItemSlots(topology);
    this.#records = new Array<StepRecord | undefined>(topology.steps.length);
    this.services = new Services(topology);
    this.#prerequisites = new Prerequisites(topology);
    this.#openDependents = Int32Array.from(topology.steps, (step) => step.dependents.length);
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
      const record = records.get(node.name);
      if (record === undefined || !fitsKind(node, record)) continue;
      this.put(index, record);
      this.#putItems(index, items?.get(node.name) ?? []);
    }
    this.#changed.clear();
  }

  #putItems(map: number, records: readonly (StepRecord | undefined)[]): void {
    const items = this.items.of(map);
    for (const [item, record] of records.entries())
      if (items !== undefined && record !== undefined && item < items.count) this.put(items.first + item, record);
  }

  /** The steps whose records were put since {@link Ledger.takeChanges}. */
  get changed(): ReadonlySet<number> {
    return this.#changed;
  }

  /** A step of the graph, or an item of a map step. */
  step(index: number): TopologyStep {
    return this.topology.steps[index] ?? this.items.step(index);
  }

  /** The index of a step of the graph, or of an item of a map step. */
  find(name: string): number | undefined {
    return this.topology.byName.get(name)?.index ?? this.items.find(name);
  }

  /** What a step that succeeded gives. */
  outputsOf(index: number): JsonObject | undefined {
    const { node } = this.step(index);
    const record = this.of(index);
    if (node.kind !== 'map' || record.phase !== 'Succeeded') return record.outputs;
    const known = this.#itemOutputs.get(index) ?? itemOutputs(node, this.items.of(index));
    this.#itemOutputs.set(index, known);
    return known;
  }

  /** A step's record; the default for one that nothing happened to. */
  of(index: number): StepRecord {
    const map = this.items.mapOf(index);
    if (map === undefined) return this.#records[index] ?? untouched;
    const items = this.items.owner(index);
    if (items !== undefined) return items.records[index - items.first] ?? untouched;
    // There is no such item. As long as there may be one nothing has happened to it; then it is past, as its map is.
    const record = this.of(map);
    return isFinal(record.phase) ? record : untouched;
  }

  /** Whether there is a record that must be kept. */
  isTouched(index: number): boolean {
    return this.#records[index] !== undefined;
  }

  count(phase: StepPhase): number {
    return this.#phases[phase];
  }

  /** How many steps run that take room. */
  get running(): number {
    return this.live.size - this.services.live.size;
  }

  get allFinal(): boolean {
    return this.#phases.Pending + this.#phases.Waiting + this.#phases.Running === 0;
  }

  /** Replaces a step's record. */
  put(index: number, record: StepRecord): void {
    const old = this.of(index);
    const before = old.phase;
    const step = this.step(index);
    const { node } = step;
    const owner = this.items.owner(index);
    if (owner === undefined) this.#records[index] = record;
    else owner.records[index - owner.first] = record;
    this.#changed.add(index);
    const phases = owner?.phases ?? this.#phases;
    phases[before] -= 1;
    phases[record.phase] += 1;
    keep(this.live, index, record.phase === 'Running' && kindOf(node).attempts !== undefined);
    keep(this.waiting, index, record.phase === 'Waiting');
    const isReady = record.locks === undefined && lacksRoom(node, record);
    const ready = node.kind === 'service' ? this.readyServices : this.ready;
    ready.set(index, isReady ? (record.retryAt ?? record.readyAt ?? 0) : undefined);
    keep(this.services.held, index, record.reason === 'ServiceNotReady');
    this.timers.set(index, dueOf(node, record));
    if (record.items !== undefined && node.kind === 'map' && this.items.of(index) === undefined) {
      this.items.add(index, record.items);
      this.stir(index);
    }
    const hasEnded = isFinal(record.phase) && !isFinal(before);
    if (owner === undefined) {
      if (hasEnded) this.#end(index, record);
      return this.#serve(step, old, record);
    }
    while ((owner.records[owner.released]?.phase ?? 'Pending') !== 'Pending') owner.released += 1;
    // One that waits for a retry may have no right to it any more.
    if (hasEnded || (before === 'Running' && record.phase === 'Waiting')) this.stir(owner.map);
  }

  /** A map step or a service must be looked at. */
  stir(index: number): void {
    if (!isFinal(this.of(index).phase)) this.#stirred.set(index, 0);
  }

  /** All map steps and services must be looked at. */
  stirAll(): void {
    for (const { map } of this.items.all()) this.stir(map);
    for (const { index } of this.topology.services) this.stir(index);
  }

  /** A map step or a service that must be looked at. */
  takeStirred(): number | undefined {
    return this.#stirred.take(0);
  }

  /** What a step's new record means for services: for those that it needs, and for who needs it. */
  #serve(step: TopologyStep, before: StepRecord, after: StepRecord): void {
    this.services.follow(step, before, after);
    if (before.phase !== after.phase) for (const service of step.services) this.stir(service);
    if (step.node.kind !== 'service') return;
    for (const user of step.users) {
      const { phase } = this.of(user);
      if (phase === 'Pending') this.#offer(user);
      else if (isFinal(after.phase) && phase === 'Waiting') this.#forsaken.push(user);
      else if (isFinal(after.phase) && this.items.of(user) !== undefined) this.stir(user);
    }
  }

  /** Whether all services that a step needs, or the map that it is an item of, are up or over. */
  isServed(index: number): boolean {
    return !this.services.lacks(this.items.mapOf(index) ?? index);
  }

  /** A step that waits although a service that it needs has ended. */
  takeForsaken(): number | undefined {
    return this.#forsaken.pop();
  }

  /** Tells the steps that wait for this one that it has ended. */
  #end(index: number, { phase }: StepRecord): void {
    const step = this.step(index);
    if (this.isFailure(index)) this.failures += 1;
    if (phase === 'Skipped' || phase === 'Cancelled')
      for (const upstream of step.dependsOn) {
        this.#openDependents[upstream]! -= 1;
        if (this.#openDependents[upstream] === 0 && this.isFailure(upstream)) this.failures += 1;
      }
    for (const other of this.#prerequisites.end(step, phase)) this.#offer(other);
  }

  /**
   * Whether a step's failure fails the run: nothing goes on in spite of it. A step goes on in spite of a failure if its
   * `depends` speaks of the failed one and it was not skipped or cancelled.
   */
  isFailure(index: number): boolean {
    const { node } = this.step(index);
    // The steps of a group fail the run themselves, unless the group is looked at in their place.
    if (node.kind === 'group' && node.contains !== true) return false;
    return this.of(index).phase === 'Failed' && node.continueOnFailure !== true && this.#openDependents[index] === 0;
  }

  /** Whether a step of a group failed and no other step of the group goes on in spite of it. All of them have ended. */
  failsGroup(index: number, { contains = false }: GroupStep): boolean {
    const { continueOnFailure } = this.step(index).node;
    const others = this.#openDependents[index]! - (contains ? 1 : 0);
    return this.of(index).phase === 'Failed' && continueOnFailure !== true && others === 0;
  }

  /** How many steps of a stage have not ended. */
  open(stage: Stage): number {
    return this.#prerequisites.open(stage);
  }

  /** A step whose time has come is decided next. */
  #offer(index: number): void {
    if (this.of(index).phase === 'Pending' && this.#isDecidable(index)) this.#undecided.push(index);
  }

  #isDecidable(index: number): boolean {
    return this.#prerequisites.areMet(this.step(index)) && !this.services.lacks(index);
  }

  /** Whether what a step's `depends` says holds. It is decided. */
  holds(index: number): boolean {
    return this.#prerequisites.holds(index);
  }

  /** A step whose upstreams have all ended, or are services that are up, and of which nothing was decided yet. */
  takeUndecided(): number | undefined {
    for (;;) {
      const index = this.#undecided.pop();
      if (index === undefined || (this.of(index).phase === 'Pending' && this.#isDecidable(index))) return index;
    }
  }

  /** The records that were put since the last call: those of steps by name, those of items in the blocks that they are kept in. */
  takeChanges(): Pick<Decision, 'steps' | 'items'> {
    const steps = new Map<string, StepRecord>();
    const items = new Map<string, ItemBlock>();
    for (const index of this.#changed) {
      const owner = this.items.owner(index);
      if (owner === undefined) steps.set(this.step(index).node.name, this.of(index));
      else {
        const block = Math.floor((index - owner.first) / ITEMS_PER_BLOCK);
        const key = blockKey(this.step(owner.map).node.name, block);
        if (!items.has(key))
          items.set(key, owner.records.slice(block * ITEMS_PER_BLOCK, (block + 1) * ITEMS_PER_BLOCK));
      }
    }
    this.#changed.clear();
    return { steps, ...(items.size > 0 && { items }) };
  }
}

function keep(set: Set<number>, index: number, belongs: boolean): void {
  if (belongs) set.add(index);
  else set.delete(index);
}
