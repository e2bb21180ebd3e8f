import type { AttemptObservation, RunSpec } from '../../lib/engine/advance.ts';
import { itemBlocks } from '../../lib/engine/codec.ts';
import type { Instant, RunRecord } from '../../lib/engine/record.ts';
import { topology, type Topology } from '../../lib/graph/topology.ts';
import type { Faults } from './faults.ts';
import { answersTo, graphOfPlan, type Plan } from './plans.ts';
import { Random } from './random.ts';
import { T0 } from './scenario.ts';
import { SimulatedCache } from './simulated-cache.ts';
import { SimulatedCluster } from './simulated-cluster.ts';
import { Crash, Deposed, SimulatedShell, type Surroundings } from './simulated-shell.ts';
import { SimulatedStore } from './simulated-store.ts';
import { StartOrder } from './start-order.ts';
import { StraysWatch } from './strays-watch.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly plan: Plan;
  readonly faults?: Faults;
  /** Whether what a shell decides follows from the plan and what became of attempts, and not from the clock. */
  readonly predictable?: boolean;
  readonly parallelism?: number;
  /** Whether commands are carried out before the record is written. */
  readonly commandsFirst?: boolean;
  /** What the run begins with. @default nothing */
  readonly record?: RunRecord;
  /** Changes of the spec, by seconds from the beginning. */
  readonly changes?: readonly { readonly after: number; readonly spec: Partial<RunSpec> }[];
  readonly watch?: Surroundings['watch'];
  /** Is given all that happens, a line each. */
  readonly trace?: (line: string) => void;
}

export interface SimulationResult {
  /** As it was last written. */
  readonly record: RunRecord;
  /** What the run has kept. */
  readonly cache: SimulatedCache;
  /** Some seconds after the end, when what was told to end has ended. */
  readonly cluster: SimulatedCluster;
  readonly endedAt: Instant;
  readonly crashes: number;
  /** How often a shell went on while another one had taken over. */
  readonly deposed: number;
  /** How many attempts came to be that no leader asked for. */
  readonly strays: number;
  readonly mostLive: number;
}

const LONGEST = 30 * 24 * 3_600_000;
const MOST_EVENTS = 100_000;
/** For how long a pod may go on that was told to end. */
const GRACE = 3001;
/** For how long a shell believes that it leads. */
const LEASE = 15_000;

/** A run on a simulated cluster, by shells that may die at any point and are then started anew. Time is virtual. */
export function simulate(options: SimulationOptions): SimulationResult {
  return new Simulation(options).play();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #topology: Topology;
  readonly #cluster: SimulatedCluster;
  /** What is asked of the run, and said to its gates. */
  readonly #changes: NonNullable<SimulationOptions['changes']>;
  readonly #store = new SimulatedStore();
  readonly #cache: SimulatedCache;
  readonly #seen: AttemptObservation[] = [];
  readonly #late: { readonly at: Instant; readonly observation: AttemptObservation }[] = [];
  readonly #surroundings: Surroundings;
  #spec: RunSpec;
  #leader: SimulatedShell | undefined;
  /** It led before, and does not know that it does no more. */
  #stale: { readonly shell: SimulatedShell; readonly until: Instant } | undefined;
  #clockOffset = 0;
  #crashes = 0;
  #deposed = 0;
  #strays = 0;
  #mostLive = 0;

  constructor(options: SimulationOptions) {
    const { seed, plan, faults = {}, parallelism = 100, commandsFirst = false, predictable, watch } = options;
    this.#options = options;
    this.#changes = [...answersTo(plan), ...(options.changes ?? [])];
    this.#faults = faults;
    this.#random = new Random(seed);
    this.#topology = topology(graphOfPlan(plan));
    this.#cluster = new SimulatedCluster(T0, plan.steps, this.#random, faults.stuck);
    this.#cache = new SimulatedCache(plan.steps);
    this.#spec = { name: `run-${seed}`, inputs: {}, parallelism };
    const { record } = options;
    if (record !== undefined)
      this.#store.write(0, { ...record, steps: new Map(record.steps), items: new Map(itemBlocks(record)) });
    const order = new StartOrder(this.#topology, this.#cluster);
    this.#surroundings = {
      topology: this.#topology,
      cluster: this.#cluster,
      store: this.#store,
      cache: this.#cache,
      random: this.#random,
      faults,
      commandsFirst,
      watch,
      spec: () => this.#spec,
      alone: () => this.#deposed === 0,
      now: () => this.#cluster.now + this.#clockOffset,
      hasStrays: () => this.#strays > 0,
      started: (step) => {
        order.check(step, this.#deposed + this.#strays === 0 ? 'one' : predictable ? 'agree' : 'disagree');
        const live = this.#cluster.live().filter((pod) => !this.#cluster.isService(pod));
        this.#mostLive = Math.max(this.#mostLive, live.length);
      },
      tell: (what) => this.#tell(what),
    };
  }

  play(): SimulationResult {
    const strays = new StraysWatch(this.#cluster);
    for (let events = 0; !this.#isOver(); events++) {
      if (this.#cluster.now > T0 + LONGEST || events > MOST_EVENTS) throw new Error('the run does not end');
      this.#event();
      strays.check(this.#leader?.run);
      this.#pass();
    }
    const [record, cluster] = [this.#store.read()!, this.#cluster];
    const endedAt = cluster.now;
    this.#surroundings.faults = {};
    this.#leader!.lookAgain();
    cluster.now += GRACE;
    return {
      record,
      cache: this.#cache,
      cluster,
      endedAt,
      crashes: this.#crashes,
      deposed: this.#deposed,
      strays: this.#strays,
      mostLive: this.#mostLive,
    };
  }

  #isOver(): boolean {
    return this.#store.finished && this.#leader?.done === true;
  }

  /** Something has happened, or it is time for something. */
  #event(): void {
    const changes = [...this.#strike(), ...this.#cluster.changes()].filter((observation) => this.#arrives(observation));
    for (const { after, spec } of this.#changes)
      if (this.#cluster.now >= T0 + after * 1000) this.#spec = { ...this.#spec, ...spec };
    if (this.#leader !== undefined && this.#stale === undefined && this.#happens(this.#faults.depose)) {
      this.#tell(() => 'a second shell takes over');
      this.#stale = { shell: this.#leader, until: this.#cluster.now + LEASE };
      this.#leader = undefined;
      this.#deposed += 1;
    }
    // Either of the two may be first.
    const stale = () => {
      if (this.#stale !== undefined && !this.#work(this.#stale.shell, changes)) this.#stale = undefined;
    };
    const staleFirst = this.#happens(0.5);
    if (staleFirst) stale();
    const leader = this.#leader ?? this.#begin();
    this.#leader = this.#work(leader, changes) ? leader : undefined;
    if (!staleFirst) stale();
    if (this.#stale !== undefined && this.#stale.until <= this.#cluster.now) this.#stale = undefined;
  }

  #begin(): SimulatedShell {
    this.#tell(() => `a shell begins with version ${this.#store.version} of the record`);
    return new SimulatedShell(this.#surroundings);
  }

  /** Returns whether the shell has survived. */
  #work(shell: SimulatedShell, changes: readonly AttemptObservation[]): boolean {
    const again: AttemptObservation[] = [];
    while (this.#seen.length > 0 && this.#happens(this.#faults.repeat)) again.push(this.#random.pick(this.#seen));
    for (const late of this.#late.filter(({ at }) => at <= this.#cluster.now)) again.push(late.observation);
    try {
      this.#seen.push(...shell.work(changes, again));
      return true;
    } catch (error) {
      if (!(error instanceof Crash || error instanceof Deposed)) throw error;
      this.#tell(() => (error instanceof Crash ? 'the shell dies' : 'a write is refused: 409'));
      this.#crashes += error instanceof Crash ? 1 : 0;
      shell.checkRecord();
      return false;
    }
  }

  /** What befalls pods and clocks. */
  #strike(): AttemptObservation[] {
    const { remove, evict, replace, loseNode, jump, stray } = this.#faults;
    if (this.#happens(jump)) this.#clockOffset += Math.round((this.#random.next() - 0.5) * 600_000);
    if (this.#happens(stray)) this.#stray();
    if (this.#happens(replace)) this.#replace();
    const struck: AttemptObservation[] = [];
    for (const [share, outcome] of [
      [remove, 'deleted'],
      [evict, 'evicted'],
      [loseNode, 'system'],
    ] as const) {
      const live = this.#happens(share) ? this.#random.shuffle(this.#cluster.strikable()) : [];
      for (const pod of live.slice(0, outcome === 'system' ? Math.ceil(live.length / 2) : 1)) {
        this.#tell(() => `${pod.step} ${pod.attempt} is struck: ${outcome}`);
        this.#cluster.strike(pod, outcome);
        if (pod.removed) struck.push(this.#cluster.observe(pod, this.#cluster.now));
      }
    }
    return struck;
  }

  #replace(): void {
    const running = this.#cluster
      .live()
      .filter((pod) => pod.startsAt <= this.#cluster.now && pod.outcome !== 'deleted' && !this.#cluster.isService(pod));
    if (running.length === 0) return;
    const pod = this.#random.pick(running);
    this.#cluster.replace(pod);
    this.#tell(() => `${pod.step} ${pod.attempt} is replaced`);
  }

  #stray(): void {
    const pods = [...this.#cluster.pods.values()];
    if (pods.length === 0) return;
    const { step, attempt } = this.#random.pick(pods);
    const which = attempt + this.#random.upTo(1);
    if (!this.#cluster.create(step, which, true)) return;
    this.#strays += 1;
    this.#tell(() => `${step} ${which} is created by nobody knows whom`);
  }

  #arrives(observation: AttemptObservation): boolean {
    if (this.#happens(this.#faults.lose)) return false;
    if (!this.#happens(this.#faults.late)) return true;
    this.#late.push({ at: this.#cluster.now + 1 + this.#random.upTo(60_000), observation });
    return false;
  }

  /** Time passes to the next thing that happens. */
  #pass(): void {
    const now = this.#cluster.now;
    const shells = [this.#leader, this.#stale?.shell].filter((shell) => shell !== undefined);
    const times = shells.flatMap(({ wakeAt, retryAt, listAt }) => [
      wakeAt === undefined ? Infinity : Math.max(now + 1, Math.ceil(wakeAt - this.#clockOffset)),
      retryAt ?? Infinity,
      listAt,
    ]);
    for (let index = this.#late.length - 1; index >= 0; index--)
      if (this.#late[index]!.at <= now) this.#late.splice(index, 1);
      else times.push(this.#late[index]!.at);
    for (const { after } of this.#changes) times.push(T0 + after * 1000);
    if (this.#leader === undefined) times.push(now + 1 + this.#random.upTo(3000));
    times.push(this.#cluster.nextChange() ?? Infinity, this.#stale?.until ?? Infinity);
    this.#cluster.now = times.reduce((next, at) => (at > now && at < next ? at : next), Infinity);
  }

  #happens(share = 0): boolean {
    return share > 0 && this.#random.chance(share);
  }

  #tell(what: () => string): void {
    this.#options.trace?.(`${((this.#cluster.now - T0) / 1000).toFixed(3).padStart(9)} s  ${what()}`);
  }
}
