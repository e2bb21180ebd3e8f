import type { AttemptObservation, RunSpec } from '../../lib/engine/advance.ts';
import { LockTable, type RunId, type StepLimits } from '../../lib/engine/lock-table.ts';
import type { Instant } from '../../lib/engine/record.ts';
import { topology, type Topology } from '../../lib/graph/topology.ts';
import type { Faults } from './faults.ts';
import { LockJudge } from './lock-judge.ts';
import { answersTo, graphOfPlan, type Plan } from './plans.ts';
import { Random } from './random.ts';
import { T0 } from './scenario.ts';
import { SimulatedCache } from './simulated-cache.ts';
import { SimulatedCluster } from './simulated-cluster.ts';
import { Crash, Deposed, SimulatedShell, type Surroundings } from './simulated-shell.ts';
import { SimulatedStore } from './simulated-store.ts';

/** A run among others of one controller. */
export interface SharedRun {
  readonly name: string;
  readonly namespace: string;
  readonly plan: Plan;
  readonly parallelism: number;
  readonly priority: number;
  /** In seconds. */
  readonly beginsAfter: number;
  /** Changes of the spec, by seconds from its beginning. */
  readonly changes: readonly { readonly after: number; readonly spec: Partial<RunSpec> }[];
}

export interface SharedOptions {
  readonly seed: number;
  readonly runs: readonly SharedRun[];
  readonly limits: StepLimits;
  readonly faults: Faults;
  readonly commandsFirst: boolean;
  readonly trace?: ((line: string) => void) | undefined;
}

/** One run with what exists of it beside the shells. */
export interface World extends SharedRun {
  readonly id: RunId;
  readonly topology: Topology;
  readonly cluster: SimulatedCluster;
  readonly store: SimulatedStore;
  readonly surroundings: Omit<Surroundings, 'seat'>;
  readonly beginsAt: Instant;
  spec: RunSpec;
  /** What was seen of it, for what is seen again. */
  readonly seen: AttemptObservation[];
}

/** One life of a controller: its shells, and the locks that they share. */
export interface Crew {
  readonly table: LockTable;
  readonly shells: Map<World, SimulatedShell>;
  /** When it takes up those runs that it does not work on. */
  readonly takesUpAt: Map<World, Instant>;
  readonly woken: Set<World>;
  /** As the shells know them. */
  readonly told: Map<World, RunSpec>;
}

const LONGEST = 30 * 24 * 3_600_000;
const MOST_EVENTS = 100_000;
const LEASE = 15_000;

/** Runs that share locks, on a simulated cluster, by controllers that may die at any point. Time is virtual. */
export class SharedSimulation {
  readonly #options: SharedOptions;
  readonly #random: Random;
  readonly #worlds: readonly World[];
  readonly #judge: LockJudge;
  #now = T0;
  #leader: Crew | undefined;
  #stale: { readonly crew: Crew; readonly until: Instant } | undefined;
  deposed = 0;
  crashes = 0;

  constructor(options: SharedOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#worlds = options.runs.map((run) => this.#world(run));
    this.#judge = new LockJudge(this.#worlds, options.limits);
  }

  /** Plays until all runs have ended. */
  play(): void {
    for (let events = 0; this.#open().length > 0; events++) {
      if (this.#now > T0 + LONGEST || events > MOST_EVENTS) throw new Error('the runs do not end');
      this.#event();
      this.#pass();
    }
  }

  #world(run: SharedRun): World {
    const { faults, commandsFirst } = this.#options;
    const graph = topology(graphOfPlan(run.plan));
    const cluster = new SimulatedCluster(T0, run.plan.steps, this.#random, faults.stuck);
    const store = new SimulatedStore();
    const world: World = {
      ...run,
      changes: [...answersTo(run.plan), ...run.changes],
      id: { uid: run.name, namespace: run.namespace, name: run.name },
      topology: graph,
      cluster,
      store,
      beginsAt: T0 + run.beginsAfter * 1000,
      spec: { name: run.name, inputs: {}, parallelism: run.parallelism, priority: run.priority },
      seen: [],
      surroundings: {
        topology: graph,
        cluster,
        store,
        cache: new SimulatedCache(run.plan.steps),
        random: this.#random,
        faults,
        commandsFirst,
        spec: () => world.spec,
        now: () => this.#now,
        hasStrays: () => this.deposed > 0,
        alone: () => false,
        // Two that lead at once do not know of each other's pods, until they see them.
        started: () => {
          if (this.deposed === 0) this.#judge.checkPods();
        },
        tell: (what) => this.#tell(() => `${run.name}: ${what()}`),
      },
    };
    return world;
  }

  /** Those that have begun and not ended. */
  #open(): readonly World[] {
    return this.#worlds.filter((world) => !(world.store.finished && this.#isDone(world)));
  }

  #isDone(world: World): boolean {
    return this.#leader?.shells.get(world)?.done === true;
  }

  #event(): void {
    const changes = new Map(this.#worlds.map((world) => [world, [...this.#strike(world), ...world.cluster.changes()]]));
    for (const world of this.#worlds)
      for (const { after, spec } of world.changes)
        if (this.#now >= world.beginsAt + after * 1000) world.spec = { ...world.spec, ...spec };
    if (this.#leader !== undefined && this.#stale === undefined && this.#happens(this.#options.faults.depose)) {
      this.#tell(() => 'a second controller takes over');
      this.#stale = { crew: this.#leader, until: this.#now + LEASE };
      this.#leader = undefined;
      this.deposed += 1;
    }
    const stale = () => {
      if (this.#stale !== undefined && !this.#work(this.#stale.crew, changes)) this.#stale = undefined;
    };
    const staleFirst = this.#happens(0.5);
    if (staleFirst) stale();
    const leader = this.#leader ?? this.#begin();
    this.#leader = this.#work(leader, changes) ? leader : undefined;
    if (this.#leader !== undefined) this.#judge.checkWaiting(this.#leader, this.#now);
    if (!staleFirst) stale();
    if (this.#stale !== undefined && this.#stale.until <= this.#now) this.#stale = undefined;
  }

  #begin(): Crew {
    this.#tell(() => 'a controller begins');
    const crew: Crew = {
      table: new LockTable(this.#options.limits),
      shells: new Map(),
      takesUpAt: new Map(),
      woken: new Set(),
      told: new Map(),
    };
    for (const world of this.#worlds.filter(({ beginsAt }) => beginsAt <= this.#now)) {
      crew.table.expect(world.id);
      crew.takesUpAt.set(world, this.#now + this.#random.pick([0, 0, this.#random.upTo(5000)]));
    }
    return crew;
  }

  /** Returns whether the controller has survived. */
  #work(crew: Crew, changes: ReadonlyMap<World, readonly AttemptObservation[]>): boolean {
    try {
      for (const world of this.#random.shuffle(this.#worlds)) this.#workOn(crew, world, changes.get(world)!);
      for (let world = this.#wakes(crew); world !== undefined; world = this.#wakes(crew)) this.#workOn(crew, world, []);
      return true;
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.#tell(() => 'the controller dies');
      this.crashes += 1;
      return false;
    }
  }

  #wakes({ woken }: Crew): World | undefined {
    return woken.size === 0 ? undefined : this.#random.pick([...woken]);
  }

  #workOn(crew: Crew, world: World, changes: readonly AttemptObservation[]): void {
    const isWoken = crew.woken.delete(world);
    const { shells, told, table, takesUpAt } = crew;
    if (world.beginsAt > this.#now || (takesUpAt.get(world) ?? 0) > this.#now) return;
    const shell = shells.get(world) ?? this.#takeUp(crew, world);
    if (shell.done) return table.forget(world.id);
    const seen = changes.filter(() => !this.#happens(this.#options.faults.lose));
    const again =
      this.#happens(this.#options.faults.repeat) && world.seen.length > 0 ? [this.#random.pick(world.seen)] : [];
    const isDue = [shell.wakeAt, shell.retryAt, shell.listAt].some((at) => at !== undefined && at <= this.#now);
    if (!isWoken && !isDue && seen.length + again.length === 0 && told.get(world) === world.spec) return;
    const before = this.#judge.waiting(crew);
    told.set(world, world.spec);
    try {
      world.seen.push(...shell.work(seen, again));
      this.#judge.checkOrder(crew, world, before, this.#now);
    } catch (error) {
      if (!(error instanceof Deposed)) throw error;
      this.#tell(() => `${world.name}: a write is refused: 409`);
      shell.seat!.rest();
      shells.delete(world);
      takesUpAt.set(world, this.#now + 1 + this.#random.upTo(10_000));
    }
  }

  #takeUp(crew: Crew, world: World): SimulatedShell {
    const seat = () => crew.table.join(world.id, () => void crew.woken.add(world));
    const shell = new SimulatedShell({ ...world.surroundings, seat });
    crew.shells.set(world, shell);
    crew.takesUpAt.delete(world);
    return shell;
  }

  #strike({ name, cluster }: World): AttemptObservation[] {
    const { remove, evict } = this.#options.faults;
    const struck: AttemptObservation[] = [];
    for (const [share, outcome] of [
      [remove, 'deleted'],
      [evict, 'evicted'],
    ] as const) {
      const [pod] = this.#happens(share) ? this.#random.shuffle(cluster.strikable()) : [];
      if (pod === undefined) continue;
      this.#tell(() => `${name}: ${pod.step} ${pod.attempt} is struck: ${outcome}`);
      cluster.strike(pod, outcome);
      if (pod.removed) struck.push(cluster.observe(pod, this.#now));
    }
    return struck;
  }

  /** Time passes to the next thing that happens. */
  #pass(): void {
    const times: number[] = [];
    for (const world of this.#worlds) {
      times.push(world.beginsAt, world.cluster.nextChange() ?? Infinity);
      for (const { after } of world.changes) times.push(world.beginsAt + after * 1000);
    }
    for (const crew of [this.#leader, this.#stale?.crew]) {
      times.push(...(crew?.takesUpAt.values() ?? []));
      for (const shell of crew?.shells.values() ?? [])
        times.push(shell.wakeAt ?? Infinity, shell.retryAt ?? Infinity, shell.listAt);
    }
    if (this.#leader === undefined) times.push(this.#now + 1 + this.#random.upTo(3000));
    if (this.#stale !== undefined) times.push(this.#stale.until);
    const next = times.reduce((least, at) => (at > this.#now && at < least ? at : least), Infinity);
    this.#now = Math.ceil(next);
    for (const { cluster } of this.#worlds) cluster.now = this.#now;
  }

  #happens(share = 0): boolean {
    return share > 0 && this.#random.chance(share);
  }

  #tell(what: () => string): void {
    this.#options.trace?.(`${((this.#now - T0) / 1000).toFixed(3).padStart(9)} s  ${what()}`);
  }
}
