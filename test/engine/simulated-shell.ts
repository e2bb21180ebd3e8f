import { isDeepStrictEqual } from 'node:util';
import type {
  AttemptObservation,
  CacheAnswer,
  Command,
  Decision,
  Observation,
  RunSpec,
} from '../../lib/engine/advance.ts';
import { decodeRecord, encodeRecord } from '../../lib/engine/codec.ts';
import type { Seat } from '../../lib/engine/lock-table.ts';
import { isFinal } from '../../lib/engine/phases.ts';
import type { Instant, RunRecord } from '../../lib/engine/record.ts';
import { Run } from '../../lib/engine/run.ts';
import { graphStepName } from '../../lib/graph/items.ts';
import type { Topology } from '../../lib/graph/topology.ts';
import type { Faults } from './faults.ts';
import type { Random } from './random.ts';
import type { SimulatedCache } from './simulated-cache.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';
import type { Patch, SimulatedStore } from './simulated-store.ts';

/** What a shell stands in. */
export interface Surroundings {
  readonly topology: Topology;
  readonly cluster: SimulatedCluster;
  readonly store: SimulatedStore;
  readonly cache: SimulatedCache;
  readonly random: Random;
  faults: Faults;
  /** Whether commands are carried out before the record is written. */
  readonly commandsFirst: boolean;
  spec(): RunSpec;
  /** By the shell's clock. */
  now(): Instant;
  /** Whether attempts came to be that no leader asked for. */
  hasStrays(): boolean;
  /** Whether no other shell has led. */
  alone(): boolean;
  /** A pod has come to exist. */
  started(step: string): void;
  /** Called before every `advance`, and after it. */
  watch?(moment: Moment): ((decision: Decision) => void) | undefined;
  tell(what: () => string): void;
  /** Among the runs of a shell that has several. */
  seat?(): Seat;
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
  readonly seat: Seat | undefined;
  readonly #in: Surroundings;
  readonly run: Run;
  #version: number;
  #patch: Patch = emptyPatch();
  /** What was sent and may have been written. */
  #sent: Patch | undefined;
  #commands: Command[] = [];
  /** Whether the record must be written before anything is done. */
  #writeFirst = false;
  /** Answers under way, by when they arrive. */
  #answers: { readonly at: Instant; readonly answer: CacheAnswer }[] = [];

  constructor(surroundings: Surroundings) {
    const { topology, store, cluster } = surroundings;
    this.#in = surroundings;
    this.#version = store.version;
    this.seat = surroundings.seat?.();
    this.run = new Run(topology, surroundings.spec(), store.read(), this.seat);
    this.listAt = cluster.now;
  }

  /** Whether the run has ended, and all that was decided is done and written. */
  get done(): boolean {
    return this.run.finished && this.#commands.length === 0 && isEmpty(this.#patch);
  }

  /** Handles what was seen. */
  work(changes: readonly AttemptObservation[], again: readonly AttemptObservation[]): AttemptObservation[] {
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
    const answers = this.#answers.filter(({ at }) => at <= cluster.now).map(({ answer }) => answer);
    this.#answers = this.#answers.filter(({ at }) => at > cluster.now);
    this.#advance(random.shuffle([...seen, ...answers]));
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
  #missing(): AttemptObservation[] {
    return [...this.run.liveAttempts()].flatMap(({ step, attempt, seen, stopping }) => {
      const pod = this.#in.cluster.pods.get(`${step}-${attempt}`);
      const exists = pod !== undefined && !pod.removed;
      if (exists || this.#isPending(step, attempt)) return [];
      return seen || stopping !== undefined || pod?.removed === true ? [this.#gone(step, attempt)] : [];
    });
  }

  #isPending(step: string, attempt: number): boolean {
    return this.#commands.some((one) => one.step === step && 'attempt' in one && one.attempt === attempt);
  }

  #gone(step: string, attempt: number): AttemptObservation {
    const finishedAt = this.#in.cluster.now;
    return { step, attempt, state: { kind: 'failed', finishedAt, failure: 'system', reason: 'PodDeleted' } };
  }

  #advance(observations: readonly Observation[]): void {
    const { topology, tell } = this.#in;
    const [now, spec] = [this.#in.now(), this.#in.spec()];
    for (const observation of observations) tell(() => describeSeen(observation));
    const after = this.#in.watch?.({ run: this.run, topology, spec, now, observations });
    const decision = this.run.advance(now, observations, spec);
    after?.(decision);
    this.#checkLimit(decision, now, spec);
    this.#checkServices(decision, now);
    this.wakeAt = decision.wakeAt;
    this.#writeFirst ||= decision.writeFirst === true;
    if (decision.run !== undefined) this.#patch.run = decision.run;
    for (const [step, record] of decision.steps) this.#patch.steps.set(step, record);
    for (const [key, block] of decision.items ?? []) this.#patch.items.set(key, [...block]);
    for (const command of decision.commands) this.#queue(command);
    this.#act();
  }

  /** Judges what starts now: what is said again was decided before, maybe under another limit. */
  #checkLimit({ commands }: Decision, now: Instant, { parallelism }: RunSpec): void {
    const { topology } = this.#in;
    const isService = (name: string) => topology.byName.get(name)?.node.kind === 'service';
    const active = [...this.run.liveAttempts()].filter(({ step }) => !isService(step)).length;
    const starts = commands.some(({ kind, step }) => {
      if (isService(step)) return false;
      const { attempts, locks = [] } = this.run.step(step);
      // It has its room since it asked once more for a result.
      const hadRoom = attempts.length === 1 && locks.some(({ scope }) => scope === 'result');
      return kind === 'start' && attempts.at(-1)?.createdAt === now && !hadRoom;
    });
    if (starts && active > parallelism && !this.#in.hasStrays())
      throw new Error(`${active} steps run at once; ${parallelism} may`);
  }

  /** Judges by the pods: who needs a service starts while it is up, and it is stopped when none of them is there. */
  #checkServices({ commands }: Decision, now: Instant): void {
    const { topology, cluster, hasStrays, alone } = this.#in;
    if (hasStrays()) return;
    const stepOf = (name: string) => topology.byName.get(graphStepName(topology, name))!;
    for (const command of commands) {
      const { kind, step } = command;
      const isFresh = kind === 'start' && this.run.step(step).attempts.at(-1)?.createdAt === now;
      for (const index of isFresh ? stepOf(step).services : []) {
        const { name, continueOnFailure } = topology.steps[index]!.node;
        const { phase, attempts } = this.run.step(name);
        const last = attempts.at(-1);
        if (phase === 'Failed' && !continueOnFailure) throw new Error(`${step} starts although service ${name} failed`);
        if (isFinal(phase)) continue;
        const pod = cluster.pods.get(`${name}-${last?.number}`);
        if (last?.phase !== 'Running' || pod === undefined || pod.readyAt > cluster.now)
          throw new Error(`${step} starts while service ${name} is not up`);
        const host = (command as { readonly inputs: Record<string, unknown> }).inputs[name];
        if (host !== undefined && host !== `${name}-${last.number}`)
          throw new Error(`${step} looks for service ${name} at ${JSON.stringify(host)}`);
      }
      if (kind !== 'stop' || command.reason !== 'ServiceStopped' || !alone()) continue;
      for (const user of cluster.live())
        if (stepOf(user.step).services.includes(stepOf(step).index))
          throw new Error(`service ${step} is stopped while ${user.step} runs`);
    }
  }

  // What is to be stopped is not created any more.
  #queue(command: Command): void {
    if (command.kind === 'stop')
      this.#commands = this.#commands.filter(
        (one) => one.kind !== 'start' || one.step !== command.step || one.attempt !== command.attempt,
      );
    this.#commands.push(command);
  }

  #act(): void {
    const { commandsFirst } = this.#in;
    this.retryAt = undefined;
    if (this.#writeFirst) {
      this.#mayCrash();
      this.#write();
      this.#writeFirst = !isEmpty(this.#patch);
      if (this.#writeFirst) return this.#retrySoon();
    }
    const notFound: Observation[] = [];
    const commands = this.#commands.splice(0).map((command) => () => this.#carryOut(command, notFound));
    const write = () => this.#write();
    for (const action of commandsFirst ? [...commands, write] : [write, ...commands]) {
      this.#mayCrash();
      action();
    }
    this.#mayCrash();
    if (notFound.length > 0) this.#advance(notFound);
    if (this.#commands.length > 0 || !isEmpty(this.#patch)) this.#retrySoon();
    for (const { at } of this.#answers) this.retryAt = Math.min(at, this.retryAt ?? Infinity);
  }

  #retrySoon(): void {
    this.retryAt ??= this.#in.cluster.now + 1 + this.#in.random.upTo(2000);
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
    if (command.kind === 'lookup' || command.kind === 'keep') return this.#useCache(command, notFound);
    const { kind, step, attempt } = command;
    const { cluster, started } = this.#in;
    const answer = this.#answer(() => `${kind} ${step} ${attempt}`);
    if (answer !== 'done') this.#commands.push(command);
    if (answer === 'refused') return;
    if (kind === 'start') {
      this.#checkBasis(step);
      if (cluster.create(step, attempt)) started(step);
    } else if (!cluster.delete(step, attempt) && answer === 'done') notFound.push(this.#gone(step, attempt));
  }

  /** Nothing starts on a result that nobody else would find: it may be gone by the time that it is asked for again. */
  #checkBasis(step: string): void {
    const { topology, store } = this.#in;
    const edges = topology.byName.get(graphStepName(topology, step))?.edges.keys() ?? [];
    for (const upstream of edges) {
      const { name } = topology.steps[upstream]!.node;
      if (this.run.step(name).reason === 'Cached' && store.read()?.steps.get(name)?.reason !== 'Cached')
        throw new Error(`${step} starts before it is written that ${name} was found in the cache`);
    }
  }

  #useCache(command: Command & { readonly kind: 'lookup' | 'keep' }, seen: Observation[]): void {
    const { cache, cluster, random, faults, alone } = this.#in;
    const { kind, step, key } = command;
    const answer = this.#answer(() => `${kind} ${step}`);
    if (kind === 'keep') {
      if (answer !== 'refused') cache.kept.set(key, command.result);
      return;
    }
    if (random.chance(faults.forget ?? 0)) cache.forget(step, key);
    // A shell that cannot find out tries again, or gives up.
    if (answer !== 'done' && random.chance(0.5)) return void this.#commands.push(command);
    const told: CacheAnswer = { step, found: answer === 'done' ? cache.find(step, key, alone()) : undefined };
    const isLate = random.chance(faults.late ?? 0);
    if (!isLate) seen.push(told);
    if (isLate || random.chance(faults.repeat ?? 0))
      this.#answers.push({ at: cluster.now + 1 + random.upTo(60_000), answer: told });
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

function describeSeen(observation: Observation): string {
  const { step } = observation;
  if ('found' in observation) return `finds ${observation.found ? 'a result' : 'nothing'} for ${step}`;
  const { attempt, state } = observation;
  return `sees ${step} ${attempt} ${state.kind}${state.kind === 'failed' ? ` (${state.reason})` : ''}`;
}

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
