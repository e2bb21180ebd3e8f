import type { Decision } from '../../engine/advance.ts';
import type { RunRecord } from '../../engine/record.ts';
import { isFinal } from '../../engine/phases.ts';
import type { Run } from '../../engine/run.ts';
import { isDone } from './job-status.ts';
import type { Job } from '../objects.ts';
import { RunEvents } from './run-events.ts';
import type { StatusWriter } from './status-writer.ts';
import type { WorkerContext } from '../worker-context.ts';

/** Tells the world outside of the record how a run stands: its Job's status, events, metrics. */
export class RunReporter {
  readonly #context: WorkerContext;
  readonly #run: Run;
  readonly #status: StatusWriter;
  readonly #events: RunEvents;
  readonly #done = new Set<string>();
  readonly #ended = new Set<string>();
  #suspended = false;

  constructor(context: WorkerContext, run: Run, status: StatusWriter, job: () => Job, record: RunRecord | undefined) {
    this.#context = context;
    this.#run = run;
    this.#status = status;
    this.#events = new RunEvents((note) => context.tell(job(), note), run.counts().total, record);
    this.#suspended =
      job().status?.conditions?.some(({ type, status: holds }) => type === 'Suspended' && holds === 'True') ?? false;
    for (const [name, step] of record?.steps ?? []) {
      if (isDone(step)) this.#done.add(name);
      if (isFinal(step.phase)) this.#ended.add(name);
    }
    if (!record) this.#events.started();
  }

  /** Something was decided. */
  decided(decision: Pick<Decision, 'steps' | 'run'>, suspended: boolean): void {
    for (const [name, step] of decision.steps) {
      if (isDone(step)) this.#done.add(name);
      if (!isFinal(step.phase) || this.#ended.has(name)) continue;
      this.#ended.add(name);
      this.#context.metrics.stepEnded(step.phase);
    }
    this.#events.decided(decision);
    if (suspended !== this.#suspended && !this.#run.finished) this.#events.suspended(suspended);
    this.#suspended = suspended;
    // The end is written when the record is.
    if (!this.#run.finished) this.#status.progress(this.#progress());
  }

  /** The run has ended, and its record says so. */
  async finish(): Promise<void> {
    const { startedAt, finishedAt = startedAt, phase } = this.#run.state;
    await this.#status.finish(this.#progress());
    if (phase !== 'Running') this.#context.metrics.runEnded(phase, (finishedAt - startedAt) / 1000);
  }

  #progress() {
    const { active, failed } = this.#run.counts();
    return { run: this.#run.state, active, done: this.#done.size, failed, suspended: this.#suspended };
  }
}
