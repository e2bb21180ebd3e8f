import type { CancelMode } from '../graph/labels.ts';
import { graphStepName, itemName } from '../graph/items.ts';
import { withRunPolicy } from '../graph/run-policy.ts';
import { topology, type Topology } from '../graph/topology.ts';
import type { AttemptState, Command, Decision, Observation, RunSpec } from '../engine/advance.ts';
import type { Answer, Answers } from '../engine/answers.ts';
import { LockTable } from '../engine/lock-table.ts';
import type { Instant, RunRecord, RunState } from '../engine/record.ts';
import { Run } from '../engine/run.ts';
import { resultKey } from '../pods/deciding-part.ts';
import type { RunStep } from '../graph/graph.ts';
import type { JsonObject } from '../values/json.ts';
import type { AttemptProcess } from './attempt-process.ts';
import { childRun, type NoRun } from './child-run.ts';
import type { ItemsAttempt } from './items-attempt.ts';
import type { LocalCache } from './local-cache.ts';
import { LogFollower } from './log-follower.ts';
import type { NoPlan } from './plan-step.ts';
import { noAttempt, ProcessStarter } from './process-starter.ts';
import { endLeftover } from './process-group.ts';
import { systemProcesses, type ProcessIdentity, type ProcessTable } from './process-table.ts';
import { RunAttempt } from './run-attempt.ts';
import { RecordFile } from './record-file.ts';
import type { LocalRun, RunDirectory } from './run-directory.ts';

/** What {@link LocalRunner} is made from. */
export interface LocalRunnerProps {
  readonly run: LocalRun;
  readonly directory: RunDirectory;
  /** Of a run that was interrupted. */
  readonly record?: RunRecord;
  /** What is said to gates from the beginning. @default nothing */
  readonly answers?: Answers;
  /** Where results are kept. @default nowhere */
  readonly cache?: LocalCache;
  /** The user's environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called after every turn of the engine. */
  readonly onTurn?: (run: Run, decision: Decision) => void;
  /** Called with every line that a step prints. @default its log only */
  readonly onLine?: (step: string, line: string) => void;
  /** The locks of the runs around it. @default its own */
  readonly locks?: LockTable;
  /** @default Date.now */
  readonly now?: () => Instant;
  /** @default the processes of this machine */
  readonly table?: ProcessTable;
}

type StartValues = Pick<Command & { readonly kind: 'start' }, 'inputs' | 'pod' | 'items'>;

/** How long what an interrupted run left behind may take to end. */
const LEFTOVER_GRACE_MS = 10_000;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Runs a workflow with child processes of this one: the engine, a clock, and a file for its record. */
export class LocalRunner {
  readonly #props: LocalRunnerProps;
  readonly #now: () => Instant;
  readonly #table: ProcessTable;
  readonly #topology: Topology;
  readonly #run: Run;
  readonly #file: RecordFile;
  readonly #processes: ProcessStarter;
  readonly #live = new Map<string, AttemptProcess | RunAttempt | ItemsAttempt>();
  readonly #locks: LockTable;
  #spec: RunSpec;
  #seen: Observation[] = [];
  #killing = false;
  #mustTurn = false;
  #wake = () => {};

  constructor(props: LocalRunnerProps) {
    const { name, graph, inputs, parallelism, timeoutSeconds, cache, policy = {} } = props.run;
    this.#props = props;
    this.#now = props.now ?? Date.now;
    this.#table = props.table ?? systemProcesses();
    const { answers } = props;
    this.#spec = {
      name,
      inputs,
      parallelism,
      ...(timeoutSeconds !== undefined && { timeoutSeconds }),
      ...(answers && { answers }),
      ...(cache && { cache }),
    };
    this.#topology = topology(withRunPolicy(graph, policy));
    this.#locks = props.locks ?? new LockTable();
    const seat = this.#locks.join({ uid: name, namespace: '', name }, () => this.#again());
    this.#run = new Run(this.#topology, this.#spec, props.record, seat);
    this.#file = new RecordFile(props.directory, props.record);
    this.#processes = new ProcessStarter({
      run: props.run,
      directory: props.directory,
      topology: this.#topology,
      env: props.env,
      table: this.#table,
      now: this.#now,
      follower: props.onLine && new LogFollower(props.onLine),
    });
  }

  /** Runs to the end: until no step is left to do and no process that it started lives. */
  async execute(): Promise<RunState> {
    try {
      await this.#endLeftovers();
      return await this.#loop();
    } finally {
      // Only an error, such as a full disk, leaves something to kill.
      this.kill();
    }
  }

  async #loop(): Promise<RunState> {
    for (;;) {
      const seen = this.#seen;
      this.#seen = [];
      this.#mustTurn = false;
      const decision = this.#run.advance(this.#now(), seen, this.#spec);
      // Written before it is done: after a crash nothing may live that the record does not know.
      this.#file.save(decision);
      for (const command of decision.commands) this.#execute(command);
      this.#props.onTurn?.(this.#run, decision);
      if (this.#run.finished && this.#live.size === 0) return this.#run.state;
      await this.#pause(decision.wakeAt);
    }
  }

  /** Ends the run as its mode says; {@link execute} returns when that is done. */
  cancel(mode: CancelMode): void {
    this.#change({ cancel: mode });
    if (mode === 'Now') for (const attempt of this.#live.values()) if (attempt instanceof RunAttempt) attempt.hasten();
  }

  /** Tells a gate what was answered. */
  answer(step: string, answer: Answer): void {
    this.#change({ answers: { ...this.#spec.answers, [step]: answer } });
  }

  #change(change: Partial<RunSpec>): void {
    this.#spec = { ...this.#spec, ...change };
    this.#again();
  }

  #again(): void {
    this.#mustTurn = true;
    this.#wake();
  }

  /** Ends all processes at once, those that are being stopped too. */
  kill(): void {
    this.#killing = true;
    for (const attempt of this.#live.values()) attempt.kill();
  }

  #execute(command: Command): void {
    if (command.kind === 'lookup' || command.kind === 'keep') return this.#useCache(command);
    const { step, attempt } = command;
    if (command.kind === 'start') return this.#start(step, attempt, command);
    const live = this.#live.get(keyOf(step, attempt));
    if (this.#killing) live?.kill();
    else live?.stop(this.#spec.cancel === 'Now' ? 'Now' : 'RunFinally');
  }

  #useCache(command: Command & { readonly kind: 'lookup' | 'keep' }): void {
    const { cache, run } = this.#props;
    const { step } = command;
    const key = resultKey(command.key, graphStepName(this.#topology, step), run.layers ?? { run: run.name });
    if (command.kind === 'keep') cache?.keep(key, command.result);
    else this.#observe({ step, found: cache?.find(key) });
  }

  #start(step: string, attempt: number, values: StartValues): void {
    const key = keyOf(step, attempt);
    if (this.#live.has(key)) return;
    const node = this.#topology.byName.get(step)?.node;
    if (node?.kind === 'run') return this.#startRun(node, attempt, values.inputs);
    const request = { step, attempt, values };
    const onState = (state: AttemptState) => this.#changed(step, attempt, state);
    const live =
      node?.kind === 'indexedMap'
        ? this.#processes.items(node, request, onState)
        : node?.kind === 'service'
          ? this.#processes.service(request, onState)
          : this.#processes.task(request, onState);
    if ('problem' in live) return this.#refuse(step, attempt, live);
    this.#live.set(key, live);
    live.start();
  }

  #startRun(step: RunStep, attempt: number, inputs: JsonObject): void {
    const directory = this.#props.directory.childRun(step.name, attempt);
    const run = directory.readRun() ?? childRun(this.#props.run, step, attempt, inputs);
    if ('problem' in run) return this.#refuse(step.name, attempt, run);
    directory.writeRun(run);
    const { env, cache, onLine, now, table } = this.#props;
    const runner = new LocalRunner({
      run,
      directory,
      record: RecordFile.read(directory),
      env,
      locks: this.#locks,
      ...(cache && { cache }),
      ...(now && { now }),
      ...(table && { table }),
      ...(onLine && { onLine: (inner, line) => onLine(`${step.name}/${inner}`, line) }),
    });
    const onState = (state: AttemptState) => this.#changed(step.name, attempt, state);
    const live = new RunAttempt({ name: run.name, runner, now: this.#now, onState });
    this.#live.set(keyOf(step.name, attempt), live);
    live.start();
  }

  #refuse(step: string, attempt: number, why: NoPlan | NoRun): void {
    this.#observe({ step, attempt, state: noAttempt(why, this.#now()) });
  }

  #changed(step: string, attempt: number, state: AttemptState): void {
    if (state.kind === 'succeeded' || state.kind === 'failed') this.#live.delete(keyOf(step, attempt));
    this.#observe({ step, attempt, state });
  }

  #observe(observation: Observation): void {
    this.#seen.push(observation);
    this.#wake();
  }

  /** Until something is seen, it must turn again, or it is time. */
  async #pause(until: Instant | undefined): Promise<void> {
    if (this.#seen.length > 0 || this.#mustTurn) return;
    await new Promise<void>((resolve) => {
      const timer =
        until === undefined ? undefined : setTimeout(resolve, Math.min(Math.max(0, until - this.#now()), MAX_TIMER_MS));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => {};
  }

  /** Attempts that lived when the process before this one died have failed; first, what is left of them is ended. */
  async #endLeftovers(): Promise<void> {
    const { directory } = this.#props;
    const leftovers = [...this.#run.liveAttempts()].map(async ({ step, attempt }) => {
      const node = this.#topology.byName.get(step)?.node;
      // A run goes on from its own record.
      if (node?.kind === 'run') return directory.childRun(step, attempt).readRun() && this.#startRun(node, attempt, {});
      const { indexes } = this.#run.step(step);
      const names = indexes === undefined ? [step] : Array.from({ length: indexes }, (_, item) => itemName(step, item));
      const found = await Promise.all(names.map((name) => this.#endLeftover(name, attempt)));
      // It was asked for and never started: the engine asks again.
      if (!found.includes(true)) return;
      const message = 'the process that ran the workflow ended before it';
      const finishedAt = this.#now();
      this.#observe({
        step,
        attempt,
        state: { kind: 'failed', finishedAt, failure: 'system', reason: 'NodeLost', message },
      });
    });
    await Promise.all(leftovers);
  }

  /** Ends what is left of a process; tells whether it was ever started. */
  async #endLeftover(name: string, attempt: number): Promise<boolean> {
    const { directory } = this.#props;
    const identity = directory.readJson(directory.processFile(name, attempt)) as ProcessIdentity | undefined;
    if (identity === undefined) return false;
    const mark = `WORKFLOW_OUTPUTS=${directory.outputsFile(name, attempt)}`;
    await endLeftover(this.#table, identity, mark, LEFTOVER_GRACE_MS);
    return true;
  }
}

const keyOf = (step: string, attempt: number) => `${step}/${attempt}`;
