import type { Command, Decision, Observation, RunSpec } from '../../lib/engine/advance.ts';
import { decodeRecord, encodeRecord, encodeRun, encodeStep, type EncodedRecord } from '../../lib/engine/codec.ts';
import { encodeItems } from '../../lib/engine/item-codec.ts';
import { isFinal } from '../../lib/engine/phases.ts';
import type { Instant, RunRecord } from '../../lib/engine/record.ts';
import { Run } from '../../lib/engine/run.ts';
import { topology, type Topology } from '../../lib/graph/topology.ts';
import { answersTo, graphOfPlan, type Plan } from './plans.ts';
import { Random } from './random.ts';
import { T0 } from './scenario.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

/** Shares of the cases in which something goes wrong, from 0 to 1. */
export interface Faults {
  /** The shell dies before or after a write or a command. */
  readonly crash?: number;
  /** An observation does not arrive; the next list has it. */
  readonly lose?: number;
  /** Something that was seen before is seen again. */
  readonly repeat?: number;
  /** At an event, a pod is deleted by somebody. */
  readonly remove?: number;
  /** At an event, the shell's clock jumps by up to five minutes either way. */
  readonly jump?: number;
}

export interface SimulationOptions {
  readonly seed: number;
  readonly plan: Plan;
  readonly faults?: Faults;
  readonly parallelism?: number;
  /** Whether commands are carried out before the record is written. */
  readonly commandsFirst?: boolean;
  /** What the run begins with. @default nothing */
  readonly record?: RunRecord;
  /** Changes of the spec, by seconds from the beginning. */
  readonly changes?: readonly { readonly after: number; readonly spec: Partial<RunSpec> }[];
  /** Called before every `advance` of a shell, and after it. */
  readonly watch?: (moment: Moment) => ((decision: Decision) => void) | undefined;
}

/** One call of `advance`. */
export interface Moment {
  readonly run: Run;
  readonly topology: Topology;
  readonly spec: RunSpec;
  readonly now: Instant;
  readonly observations: readonly Observation[];
}

export interface SimulationResult {
  /** As it was last written. */
  readonly record: RunRecord;
  readonly cluster: SimulatedCluster;
  readonly crashes: number;
  readonly mostLive: number;
}

class Crash extends Error {}

const LIST_EVERY = 30_000;
const LONGEST = 30 * 24 * 3_600_000;

/** A run on a simulated cluster, by a shell that may die at any point and is then started anew. Time is virtual. */
export function simulate(options: SimulationOptions): SimulationResult {
  return new Simulation(options).play();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #random: Random;
  readonly #topology: Topology;
  readonly #cluster: SimulatedCluster;
  /** What is asked of the run, and said to its gates. */
  readonly #changes: NonNullable<SimulationOptions['changes']>;
  readonly #seen: Observation[] = [];
  #spec: RunSpec;
  /** What outlives the shell. */
  #stored: { run: string; steps: Record<string, string>; items: Record<string, string> } | undefined;
  #run: Run | undefined;
  #wakeAt: Instant | undefined;
  #clockOffset = 0;
  #listAt = T0;
  #crashes = 0;
  #mostLive = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#topology = topology(graphOfPlan(options.plan));
    this.#changes = [...answersTo(options.plan), ...(options.changes ?? [])];
    this.#cluster = new SimulatedCluster(T0, options.plan.steps, this.#random);
    this.#spec = { name: `run-${options.seed}`, inputs: {}, parallelism: options.parallelism ?? 100 };
    if (options.record !== undefined) this.#stored = { items: {}, ...encodeRecord(options.record) };
  }

  play(): SimulationResult {
    const { faults = {} } = this.#options;
    while (!this.#isOver()) {
      if (this.#cluster.now > T0 + LONGEST) throw new Error('the run does not end');
      if (this.#random.chance(faults.jump ?? 0)) this.#clockOffset += (this.#random.next() - 0.5) * 600_000;
      const victim = this.#random.chance(faults.remove ?? 0) ? this.#cluster.live()[0] : undefined;
      if (victim !== undefined) this.#cluster.remove(victim);
      try {
        this.#work(victim === undefined ? [] : [this.#cluster.observe(victim, this.#cluster.now)]);
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        this.#crashes += 1;
        this.#run = undefined;
      }
      this.#pass();
    }
    return { record: this.#read()!, cluster: this.#cluster, crashes: this.#crashes, mostLive: this.#mostLive };
  }

  #isOver(): boolean {
    return this.#read()?.run.finishedAt !== undefined;
  }

  /** Time passes to the next thing that happens. */
  #pass(): void {
    const now = this.#cluster.now;
    const wake =
      this.#wakeAt === undefined ? undefined : Math.max(now + 1, Math.ceil(this.#wakeAt - this.#clockOffset));
    const changes = this.#changes.map(({ after }) => T0 + after * 1000).filter((at) => at > now);
    const times = [this.#cluster.nextChange(), wake, this.#listAt, ...changes].filter((at) => at !== undefined);
    this.#cluster.now = Math.min(...times.filter((at) => at > now));
  }

  /** A life of the shell begins, or it handles what has happened. */
  #work(happened: readonly Observation[]): void {
    const { faults = {} } = this.#options;
    for (const { after, spec } of this.#changes)
      if (this.#cluster.now >= T0 + after * 1000) this.#spec = { ...this.#spec, ...spec };
    const observations = [...happened, ...this.#cluster.changes()].filter(() => !this.#random.chance(faults.lose ?? 0));
    while (this.#seen.length > 0 && this.#random.chance(faults.repeat ?? 0))
      observations.push(this.#random.pick(this.#seen));
    const isNew = this.#run === undefined;
    this.#run ??= new Run(this.#topology, this.#spec, this.#read());
    if (isNew || this.#listAt <= this.#cluster.now) {
      observations.push(...this.#cluster.list(), ...this.#missing(this.#run));
      this.#listAt = this.#cluster.now + LIST_EVERY;
    }
    this.#advance(this.#run, this.#random.shuffle(observations));
  }

  /** Attempts that are known, were seen, and are there no more. */
  #missing(run: Run): Observation[] {
    return [...run.liveAttempts()].flatMap(({ step, attempt, seen, stopping }) => {
      const pod = this.#cluster.pods.get(`${step}-${attempt}`);
      const exists = pod !== undefined && !pod.removed;
      return exists || !(seen || stopping !== undefined || pod?.removed === true) ? [] : [this.#gone(step, attempt)];
    });
  }

  #gone(step: string, attempt: number): Observation {
    return {
      step,
      attempt,
      state: { kind: 'failed', finishedAt: this.#cluster.now, failure: 'system', reason: 'PodDeleted' },
    };
  }

  #advance(run: Run, observations: readonly Observation[]): void {
    this.#seen.push(...observations);
    const now = this.#cluster.now + this.#clockOffset;
    const after = this.#options.watch?.({ run, topology: this.#topology, spec: this.#spec, now, observations });
    const decision = run.advance(now, observations, this.#spec);
    after?.(decision);
    this.#wakeAt = decision.wakeAt;
    const notFound: Observation[] = [];
    const commands = decision.commands.map((command) => () => this.#carryOut(command, notFound));
    const write = () => this.#write(decision);
    for (const action of this.#options.commandsFirst ? [...commands, write] : [write, ...commands]) {
      this.#mayCrash();
      action();
    }
    this.#mayCrash();
    if (notFound.length > 0) this.#advance(run, notFound);
  }

  #mayCrash(): void {
    if (this.#random.chance(this.#options.faults?.crash ?? 0)) throw new Crash();
  }

  #carryOut({ kind, step, attempt }: Command, notFound: Observation[]): void {
    if (kind === 'stop') {
      if (!this.#cluster.delete(step, attempt)) notFound.push(this.#gone(step, attempt));
      return;
    }
    if (!this.#cluster.create(step, attempt)) return;
    this.#checkStart(step);
    this.#mostLive = Math.max(this.#mostLive, this.#cluster.live().length);
  }

  /** What holds whatever the engine thinks: judged by what exists. */
  #checkStart(step: string): void {
    const live = this.#cluster.live();
    if (live.filter((pod) => pod.step === step).length > 1) throw new Error(`two attempts of ${step} run at once`);
    for (const index of this.#topology.byName.get(step.replace(/-\d+$/, ''))!.edges.keys()) {
      const upstream = this.#topology.steps[index]!.node.name;
      if (live.some((pod) => pod.step === upstream)) throw new Error(`${step} starts while ${upstream} runs`);
    }
  }

  #write(decision: Decision): void {
    const stored = this.#stored ?? { run: '', steps: {}, items: {} };
    const before = this.#read();
    if (decision.run !== undefined) stored.run = encodeRun(decision.run);
    for (const [step, record] of decision.steps) {
      const known = before?.steps.get(step);
      if (known !== undefined && isFinal(known.phase)) throw new Error(`${step} had ended and was written again`);
      stored.steps[step] = encodeStep(record);
    }
    for (const [key, block] of decision.items ?? []) stored.items[key] = encodeItems(block);
    this.#stored = stored;
  }

  #read(): RunRecord | undefined {
    if (this.#stored === undefined) return undefined;
    const decoded = decodeRecord(this.#stored satisfies EncodedRecord);
    if ('problems' in decoded) throw new Error(JSON.stringify(decoded.problems));
    return decoded.record;
  }
}
