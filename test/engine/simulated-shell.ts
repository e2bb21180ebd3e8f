import { isDeepStrictEqual } from 'node:util';
import type { Command, Decision, Observation, RunSpec } from '../../lib/engine/advance.ts';
import { decodeRecord, encodeRecord } from '../../lib/engine/codec.ts';
import type { Instant, RunRecord } from '../../lib/engine/record.ts';
import { Run } from '../../lib/engine/run.ts';
import type { Topology } from '../../lib/graph/topology.ts';
import type { Faults } from './faults.ts';
import type { Random } from './random.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';
import type { Patch, SimulatedStore } from './simulated-store.ts';

/** What a shell stands in. */
export interface Surroundings {
  readonly topology: Topology;
  readonly cluster: SimulatedCluster;
  readonly store: SimulatedStore;
  readonly random: Random;
  faults: Faults;
  /** Whether commands are carried out before the record is written. */
  readonly commandsFirst: boolean;
  spec(): RunSpec;
  /** By the shell's clock. */
  now(): Instant;
  /** Whether attempts came to be that no leader asked for. */
  hasStrays(): boolean;
  /** A pod has come to exist. */
  started(step: string): void;
  /** Called before every `advance`, and after it. */
  watch?(moment: Moment): ((decision: Decision) => void) | undefined;
  tell(what: () => string): void;
}

/** One call of `advance`. */
export interface Moment {
  readonly run: Run;
  readonly topology: Topology;
  readonly spec: RunSpec;
  readonly now: Instant;
  readonly observations: readonly Observation[];
}

/** The shell has died. */
export class Crash extends Error {}
/** Somebody else has written to the record. */
export class Deposed extends Error {}

const LIST_EVERY = 30_000;

/** One life of a shell: what it knows is gone with it. */
export class SimulatedShell {
  /** When it must work again although nothing is seen, by the time of the cluster. */
  retryAt: Instant | undefined;
  listAt: Instant;
  /** By the shell's clock. */
  wakeAt: Instant | undefined;
  /** Its watch has ended. */
  blind = false;
  readonly #in: Surroundings;
  readonly run: Run;
  #version: number;
  #patch: Patch = emptyPatch();
  /** What was sent and may have been written. */
  #sent: Patch | undefined;
  #commands: Command[] = [];

  constructor(surroundings: Surroundings) {
    const { topology, store, cluster } = surroundings;
    this.#in = surroundings;
    this.#version = store.version;
    this.run = new Run(topology, surroundings.spec(), store.read());
    this.listAt = cluster.now;
  }

  /** Whether the run has ended, and all that was decided is done and written. */
  get done(): boolean {
    return this.run.finished && this.#commands.length === 0 && isEmpty(this.#patch);
  }

  /** Handles what was seen. */
  work(changes: readonly Observation[], again: readonly Observation[]): Observation[] {
    const { cluster, random, faults } = this.#in;
    if (random.chance(faults.expire ?? 0)) {
      this.blind = true;
      this.listAt = Math.min(this.listAt, cluster.now + random.upTo(5000));
    }
    const seen = [...(this.blind ? [] : changes), ...again];
    if (this.listAt <= cluster.now) {
      seen.push(...cluster.list(), ...this.#missing());
      this.listAt = cluster.now + LIST_EVERY;
      this.blind = false;
    }
    this.#advance(random.shuffle(seen));
    return seen;
  }

  /** Looks at all there is, with nothing in its way. */
  lookAgain(): void {
    this.#advance([...this.#in.cluster.list(), ...this.#missing()]);
  }

  /** What it knows is what somebody else would read, had it been written. */
  checkRecord(): void {
    const decoded = decodeRecord(encodeRecord(this.run.record()));
    if ('problems' in decoded) throw new Error(`the record cannot be read: ${JSON.stringify(decoded.problems)}`);
    if (this.run.state.startedAt !== 0 && !isDeepStrictEqual(plain(decoded.record), plain(this.run.record())))
      throw new Error('the record is not read as it was written');
  }

  /** Attempts that are known, were seen, and are there no more. */
  #missing(): Observation[] {
    return [...this.run.liveAttempts()].flatMap(({ step, attempt, seen, stopping }) => {
      const pod = this.#in.cluster.pods.get(`${step}-${attempt}`);
      const exists = pod !== undefined && !pod.removed;
      if (exists || this.#isPending(step, attempt)) return [];
      return seen || stopping !== undefined || pod?.removed === true ? [this.#gone(step, attempt)] : [];
    });
  }

  #isPending(step: string, attempt: number): boolean {
    return this.#commands.some((one) => one.step === step && one.attempt === attempt);
  }

  #gone(step: string, attempt: number): Observation {
    const finishedAt = this.#in.cluster.now;
    return { step, attempt, state: { kind: 'failed', finishedAt, failure: 'system', reason: 'PodDeleted' } };
  }

  #advance(observations: readonly Observation[]): void {
    const { topology, tell } = this.#in;
    const [now, spec] = [this.#in.now(), this.#in.spec()];
    for (const { step, attempt, state } of observations)
      tell(() => `sees ${step} ${attempt} ${state.kind}${state.kind === 'failed' ? ` (${state.reason})` : ''}`);
    const after = this.#in.watch?.({ run: this.run, topology, spec, now, observations });
    const decision = this.run.advance(now, observations, spec);
    after?.(decision);
    this.#checkLimit(decision, now, spec);
    this.wakeAt = decision.wakeAt;
    if (decision.run !== undefined) this.#patch.run = decision.run;
    for (const [step, record] of decision.steps) this.#patch.steps.set(step, record);
    for (const [key, block] of decision.items ?? []) this.#patch.items.set(key, [...block]);
    for (const command of decision.commands) this.#queue(command);
    this.#act();
  }

  /** Judges what starts now: what is said again was decided before, maybe under another limit. */
  #checkLimit({ commands }: Decision, now: Instant, { parallelism }: RunSpec): void {
    const { active } = this.run.counts();
    const starts = commands.some(
      ({ kind, step }) => kind === 'start' && this.run.step(step).attempts.at(-1)?.createdAt === now,
    );
    if (starts && active > parallelism && !this.#in.hasStrays())
      throw new Error(`${active} steps run at once; ${parallelism} may`);
  }

  // What is to be stopped is not created any more.
  #queue(command: Command): void {
    if (command.kind === 'stop')
      this.#commands = this.#commands.filter(
        ({ kind, step, attempt }) => kind !== 'start' || step !== command.step || attempt !== command.attempt,
      );
    this.#commands.push(command);
  }

  #act(): void {
    const { cluster, commandsFirst } = this.#in;
    this.retryAt = undefined;
    const notFound: Observation[] = [];
    const commands = this.#commands.splice(0).map((command) => () => this.#carryOut(command, notFound));
    const write = () => this.#write();
    for (const action of commandsFirst ? [...commands, write] : [write, ...commands]) {
      this.#mayCrash();
      action();
    }
    this.#mayCrash();
    if (notFound.length > 0) this.#advance(notFound);
    if (this.#commands.length > 0 || !isEmpty(this.#patch))
      this.retryAt ??= cluster.now + 1 + this.#in.random.upTo(2000);
  }

  #mayCrash(): void {
    if (this.#in.random.chance(this.#in.faults.crash ?? 0)) throw new Crash();
  }

  /** How the API server takes a request. */
  #answer(what: () => string): 'done' | 'refused' | 'unanswered' {
    const { random, faults, tell } = this.#in;
    const refused = random.chance(faults.refuse ?? 0);
    const unanswered = !refused && random.chance(faults.unanswered ?? 0);
    tell(() => `${what()}${refused ? ': 503' : unanswered ? ': no answer' : ''}`);
    return refused ? 'refused' : unanswered ? 'unanswered' : 'done';
  }

  #carryOut(command: Command, notFound: Observation[]): void {
    const { kind, step, attempt } = command;
    const { cluster, started } = this.#in;
    const answer = this.#answer(() => `${kind} ${step} ${attempt}`);
    if (answer !== 'done') this.#commands.push(command);
    if (answer === 'refused') return;
    if (kind === 'start') {
      if (cluster.create(step, attempt)) started(step);
    } else if (!cluster.delete(step, attempt) && answer === 'done') notFound.push(this.#gone(step, attempt));
  }

  #write(): void {
    const { store } = this.#in;
    const patch = this.#patch;
    if (isEmpty(patch)) return;
    const answer = this.#answer(() => `write ${describe(patch)}`);
    if (answer === 'refused') return;
    if (store.version === this.#version + 1 && this.#sent !== undefined && store.has(this.#sent))
      this.#version = store.version;
    if (!store.write(this.#version, patch)) throw new Deposed();
    if (answer === 'unanswered') {
      this.#sent = { ...patch, steps: new Map(patch.steps), items: new Map(patch.items) };
      return;
    }
    this.#version = store.version;
    this.#sent = undefined;
    this.#patch = emptyPatch();
  }
}

const emptyPatch = (): Patch => ({ steps: new Map(), items: new Map() });
const isEmpty = ({ run, steps, items }: Patch) => run === undefined && steps.size === 0 && items.size === 0;

function describe({ run, steps, items }: Patch): string {
  const parts = [...steps].map(([step, { phase, reason }]) => `${step} ${phase}/${reason}`);
  const blocks = [...items].map(([key, block]) => `${key} ${block.map((item) => item?.phase ?? '-').join(' ')}`);
  return [...(run ? [`run ${run.phase}/${run.reason}`] : []), ...parts, ...blocks].join(', ');
}

/** Without what is there but undefined. */
function plain({ run, steps, items = new Map() }: RunRecord): unknown {
  const sorted = (records: ReadonlyMap<string, unknown>) => [...records].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.parse(JSON.stringify({ run, steps: sorted(steps), items: sorted(items) }));
}
