import type { Run } from '../../engine/run.ts';
import { lateSkips } from '../../engine/skips.ts';
import type { Topology } from '../../graph/topology.ts';
import type { Job } from '../objects.ts';
import { problemNotes } from './run-events.ts';
import { readControls, type RunControls } from '../run-job.ts';
import type { WorkerContext } from '../worker-context.ts';

/** What is known of a run besides its Job, once it has begun. */
interface Begun {
  readonly topology?: Topology | undefined;
  readonly run?: Run | undefined;
}

/** Reads what the Job of one run asks for as it goes on, and tells of what is passed over, each time that this changes. */
export class ControlReader {
  readonly #context: WorkerContext;
  #told = '[]';

  constructor(context: WorkerContext) {
    this.#context = context;
  }

  read(job: Job, { topology, run }: Begun): RunControls {
    const { controls, problems } = readControls(job, this.#context.mode, topology);
    const late = run === undefined ? [] : lateSkips(controls.skips ?? {}, (step) => run.step(step));
    const notes = problemNotes('InvalidAnnotation', 'An annotation is passed over', [...problems, ...late]);
    const telling = JSON.stringify(notes);
    if (telling !== this.#told) for (const note of notes) this.#context.tell(job, note);
    this.#told = telling;
    return controls;
  }
}
