import type { Decision, Observation, RunSpec } from '../../engine/advance.ts';
import { recordForm } from '../../engine/codec.ts';
import type { RunPhase } from '../../engine/record.ts';
import type { Seat } from '../../engine/lock-table.ts';
import { Run } from '../../engine/run.ts';
import { KubeError } from '../../kube/errors.ts';
import { InvalidError } from '../../values/problems.ts';
import { Attempts } from '../attempts/attempts.ts';
import { Commands } from './commands.ts';
import { ControlReader } from './control-reader.ts';
import { isFinished, shorten, type Job, type Pod } from '../objects.ts';
import { RecordStore } from './record-store.ts';
import { takeOver } from './recovery.ts';
import { problemNotes } from './run-events.ts';
import { present } from './present.ts';
import { runId, type RunControls } from '../run-job.ts';
import { RunReporter } from './run-reporter.ts';
import { StatusWriter } from './status-writer.ts';
import { takeUp, type TakenUp } from './take-up.ts';
import { Wakeup } from './wakeup.ts';
import type { WorkerContext } from '../worker-context.ts';

/** What a worker tells. */
export interface WorkerCallbacks {
  /** The run has ended, or cannot be run, and that is written down. */
  readonly onFinished: (phase: Exclude<RunPhase, 'Running'>) => void;
  /** What the worker knows is not what is written: it has stopped, and the run is to be taken up afresh. */
  readonly onDeposed: () => void;
}

/** The pods and Jobs of a run's steps that are known when it is taken up. */
export type StepObjects = () => Iterable<Pod | Job>;

/**
 * Works on one run from where its record and its pods stand, until it has ended. All decisions are the engine's; this class
 * only feeds it what was seen, one thing after the other, and does at once what it says.
 */
export class RunWorker {
  readonly #context: WorkerContext;
  readonly #callbacks: WorkerCallbacks;
  readonly #known: StepObjects;
  readonly #stop = new AbortController();
  readonly #record: RecordStore;
  readonly #status: StatusWriter;
  readonly #wakeup: Wakeup;
  readonly #controlReader: ControlReader;
  readonly #queue: Observation[] = [];
  #job: Job;
  #controls: RunControls;
  #resume: (() => void) | undefined;
  #ahead: Promise<TakenUp> | undefined;
  #taken: TakenUp | undefined;
  #run: Run | undefined;
  #seat: Seat | undefined;
  #attempts: Attempts | undefined;
  #commands: Commands | undefined;
  #reporter: RunReporter | undefined;
  #turning = false;
  #ending = false;
  #abandoned = false;

  constructor(context: WorkerContext, job: Job, known: StepObjects, callbacks: WorkerCallbacks) {
    const { namespace, name } = job.metadata;
    this.#context = { ...context, log: context.log.child({ namespace, run: name }) };
    this.#job = job;
    this.#known = known;
    this.#callbacks = callbacks;
    const { signal } = this.#stop;
    this.#record = new RecordStore(this.#context, job, (error) => this.#recordFailed(error), signal);
    this.#status = new StatusWriter(this.#context, job, signal);
    this.#wakeup = new Wakeup(context.clock, () => this.#wake(), signal);
    this.#controlReader = new ControlReader(this.#context);
    this.#controls = this.#readControls();
  }

  /** Whether the run has ended, or is refused, and only that is still to be written. */
  get ending(): boolean {
    return this.#ending;
  }

  /** Reads what the run needs, before it is started. */
  prepare(): void {
    this.#ahead = takeUp(this.#context, this.#job, this.#record, this.#stop.signal);
    // Told when it is started.
    this.#ahead.catch(() => undefined);
  }

  /** Begins. */
  start(): void {
    this.#work().catch((error: unknown) => this.#setBack('It could not be taken up', error));
  }

  /** Stops at once, whatever is under way. What was created stays. */
  stop(): void {
    this.#stop.abort(new DOMException('the run is no longer worked on', 'AbortError'));
    this.#seat?.rest();
  }

  /** Stops, but writes down what is known before. */
  async close(): Promise<void> {
    await this.#record.flush().catch(() => undefined);
    this.stop();
  }

  /** Ends the run as if its time were over. */
  expire(): void {
    this.#controls = { ...this.#controls, timeoutSeconds: 0 };
    this.#turn([], this.#spec());
  }

  /** The run's Job has changed. */
  see(job: Job): void {
    this.#job = job;
    this.#status.see(job);
    const before = this.#controls;
    this.#controls = this.#readControls();
    if (JSON.stringify(before) === JSON.stringify(this.#controls)) return;
    if (this.#controls.cancel === 'Now' && before.cancel !== 'Now') this.#attempts?.hasten();
    if (this.#run) this.#turn([], this.#spec());
    else this.#resume?.();
  }

  /** A Pod or Job of one of the run's steps has changed, on the cluster of the run or on another one. */
  seeStep(object: Pod | Job, cluster?: string): void {
    const observation = this.#attempts?.see(object, cluster);
    if (observation) this.#turn([observation]);
  }

  /** A Pod or Job of one of the run's steps is gone. */
  seeStepDeleted(object: Pod | Job, cluster?: string): void {
    const observation = this.#attempts?.seeDeleted(object, cluster);
    if (observation) this.#turn([observation]);
  }

  /** All that is on another cluster has been seen, or nobody can look there, or one can again. */
  sight(cluster: string): void {
    const observations = this.#attempts?.sight(cluster) ?? [];
    if (observations.length > 0) this.#turn(observations);
  }

  async #work(): Promise<void> {
    const { signal } = this.#stop;
    let taken: TakenUp;
    try {
      taken = await (this.#ahead ?? takeUp(this.#context, this.#job, this.#record, signal));
    } catch (error) {
      if (error instanceof InvalidError) return this.#refuse(error);
      throw error;
    }
    // One with pods has begun, though nobody lived to write it down.
    if (!taken.record && [...this.#known()].length === 0) {
      this.#context.locks.known(runId(this.#job));
      await this.#untilResumed();
    }
    signal.throwIfAborted();
    const ready = await takeOver(this.#context, this.#job, this.#record, taken);
    signal.throwIfAborted();
    if (!this.#ending) this.#begin(ready);
  }

  #begin(taken: TakenUp): void {
    const { topology, layers, record } = taken;
    const [context, run] = [this.#context, () => this.#job];
    const observe = (observations: readonly Observation[]) => this.#turn(observations);
    const { signal } = this.#stop;
    this.#taken = taken;
    this.#controls = this.#readControls();
    const wake = () => queueMicrotask(() => this.#turn([]));
    this.#seat = context.locks.join(runId(this.#job), wake);
    this.#run = new Run(topology, this.#spec(), record, this.#seat);
    const options = { context, run, topology, layers, observe, signal };
    this.#attempts = new Attempts(options);
    const written = () => this.#record.flush().then(() => !this.#abandoned && !signal.aborted);
    this.#commands = new Commands(options, this.#attempts, written);
    this.#reporter = new RunReporter(context, this.#run, this.#status, run, record);
    context.log.info(record ? 'A run is taken up again' : 'A run has begun', { steps: topology.steps.length });
    const resumed = record !== undefined;
    const [objects, attempts] = [this.#known(), this.#attempts];
    const elsewhere = context.remotes?.childrenOf(this.#job.metadata.uid ?? '') ?? [];
    this.#turn([...present({ objects, elsewhere, attempts, run: this.#run, resumed })]);
  }

  /** Feeds the engine and does what it says; what is seen meanwhile is fed next. */
  #turn(observations: readonly Observation[], spec?: RunSpec): void {
    this.#queue.push(...observations);
    const run = this.#run;
    if (this.#turning || this.#abandoned || !run || this.#stop.signal.aborted) return;
    this.#turning = true;
    try {
      do {
        const decision = run.advance(this.#context.clock.now(), this.#queue.splice(0), spec);
        spec = undefined;
        this.#do(decision);
      } while (this.#queue.length > 0);
    } catch (error) {
      // A mistake of ours must cost this run a moment, and no other run anything.
      return this.#setBack('It could not be worked on', error);
    } finally {
      this.#turning = false;
    }
    if (run.finished) this.#finish();
  }

  #do(decision: Decision): void {
    const { steps, run, wakeAt } = decision;
    this.#record.put(decision, recordForm(this.#run!.counts().total));
    this.#commands!.do(decision);
    this.#reporter!.decided({ steps, ...(run && { run }) }, this.#controls.suspended === true);
    this.#wakeup.at(wakeAt, this.#attempts!.lookAgainAt);
  }

  #wake(): void {
    this.#turn(this.#attempts?.lookAgain() ?? []);
  }

  /** Looks for attempts whose whole life the watch may have missed. To be called now and then. */
  async audit(): Promise<void> {
    if (!this.#ending) await this.#attempts?.audit();
  }

  #finish(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#writeEnd().catch((error: unknown) => this.#setBack('Its end could not be written', error));
  }

  async #writeEnd(): Promise<void> {
    const { phase } = this.#run!.state;
    await this.#record.flush();
    this.#stop.signal.throwIfAborted();
    if (this.#abandoned) return;
    this.#attempts!.stopLeftovers();
    await Promise.all([this.#attempts!.stopped(), this.#commands!.kept()]);
    this.#stop.signal.throwIfAborted();
    await this.#reporter!.finish();
    this.#context.log.info('A run has ended', { phase });
    this.#callbacks.onFinished(phase as Exclude<RunPhase, 'Running'>);
  }

  async #refuse(error: InvalidError): Promise<void> {
    this.#ending = true;
    this.#context.log.warn('A run is refused', { error });
    for (const note of problemNotes('InvalidRun', error.message.split(':\n')[0]!, error.problems))
      this.#context.tell(this.#job, note);
    await this.#status.refuse(error.message);
    this.#callbacks.onFinished('Failed');
  }

  /** A run that was made suspended begins when it is resumed, like any Job. One that is cancelled begins to end. */
  async #untilResumed(): Promise<void> {
    while (this.#controls.suspended && this.#controls.cancel === undefined) {
      const changed = Promise.withResolvers<void>();
      this.#resume = changed.resolve;
      this.#stop.signal.addEventListener('abort', () => changed.resolve(), { once: true });
      await this.#status.suspended();
      await changed.promise;
      this.#stop.signal.throwIfAborted();
    }
  }

  #recordFailed(error: unknown): void {
    if (error instanceof KubeError) {
      this.#ending = true;
      this.#abandoned = true;
      this.#abandon(error).catch((failure: unknown) => this.#setBack('Its end could not be written', failure));
    } else {
      this.#setBack('Its record could not be written', error);
    }
  }

  /** Ends a run whose record the API server does not take, above all because it is too large: nobody could go on with it. */
  async #abandon({ message: said }: KubeError): Promise<void> {
    const message = `The record of the run is refused: ${shorten(said, 600)}`;
    this.#context.log.error('A run is given up', { message });
    this.#context.tell(this.#job, { type: 'Warning', reason: 'RunFailed', message });
    for (const { step, attempt } of [...(this.#run?.liveAttempts() ?? [])])
      this.#attempts!.stop(step, attempt, 'CancelRequested');
    await this.#attempts?.stopped();
    await this.#status.refuse(message);
    this.#callbacks.onFinished('Failed');
  }

  /** Stops, and lets the run be taken up afresh from what is written. */
  #setBack(what: string, error: unknown): void {
    const { log, tell } = this.#context;
    if (this.#stop.signal.aborted) return;
    this.stop();
    if (isFinished(this.#job)) return;
    log.error('A run is set back', { what, error });
    const message = `${what}, and it is taken up afresh: ${(error as Error).message}`;
    tell(this.#job, { type: 'Warning', reason: 'RunSetBack', message });
    this.#callbacks.onDeposed();
  }

  #readControls(): RunControls {
    return this.#controlReader.read(this.#job, { topology: this.#taken?.topology, run: this.#run });
  }

  #spec(): RunSpec {
    const { inputs = {}, rerun } = this.#taken ?? {};
    return { name: this.#job.metadata.name, inputs, rerun, ...this.#controls };
  }
}
