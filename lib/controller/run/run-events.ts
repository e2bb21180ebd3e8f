import type { Decision } from '../../engine/advance.ts';
import { isFinal } from '../../engine/phases.ts';
import type { RunRecord, StepRecord } from '../../engine/record.ts';
import type { EventNote } from '../../kube/events.ts';
import { formatProblem, type Problem } from '../../values/problems.ts';

/** What the API server takes of an event's message, in bytes, with room for a sentence before. */
const ROOM = 900;

/** Tells what happens to a run in plain words: its beginning and end, failures, retries. Not every step that goes well. */
export class RunEvents {
  readonly #tell: (note: EventNote) => void;
  /** How many failed attempts of a step were told. */
  readonly #failures = new Map<string, number>();
  /** The gates whose waiting was told. */
  readonly #open = new Set<string>();
  readonly #steps: number;
  #ended = false;

  constructor(tell: (note: EventNote) => void, steps: number, record: RunRecord | undefined) {
    this.#tell = tell;
    this.#steps = steps;
    for (const [name, step] of record?.steps ?? []) {
      this.#failures.set(name, failedAttempts(step));
      if (waitsForSomebody(step)) this.#open.add(name);
    }
    this.#ended = record !== undefined && record.run.phase !== 'Running';
  }

  started(): void {
    this.#tell({ reason: 'RunStarted', message: `The run of ${this.#steps} steps has begun` });
  }

  suspended(suspended: boolean): void {
    if (suspended)
      this.#tell({ reason: 'RunSuspended', message: 'The run is suspended: what runs goes on, nothing new starts' });
    else this.#tell({ reason: 'RunResumed', message: 'The run goes on' });
  }

  decided({ steps, run }: Pick<Decision, 'steps' | 'run'>): void {
    for (const [name, step] of steps) this.#stepChanged(name, step);
    if (!run || run.phase === 'Running' || this.#ended) return;
    this.#ended = true;
    const why = run.message === undefined ? '' : `: ${run.message}`;
    if (run.phase === 'Succeeded') this.#tell({ reason: 'RunSucceeded', message: `The run has succeeded${why}` });
    if (run.phase === 'Failed')
      this.#tell({ type: 'Warning', reason: 'RunFailed', message: `The run has failed (${run.reason})${why}` });
    if (run.phase === 'Cancelled')
      this.#tell({ type: 'Warning', reason: 'RunCancelled', message: `The run was cancelled${why}` });
  }

  #stepChanged(name: string, step: StepRecord): void {
    this.#gateChanged(name, step);
    const failures = failedAttempts(step);
    const told = this.#failures.get(name) ?? 0;
    this.#failures.set(name, failures);
    if (step.phase === 'Failed') {
      const tries = step.attempts.length > 1 ? ` after ${step.attempts.length} attempts` : '';
      this.#warn('StepFailed', `Step ${name} failed${tries}`, step);
    } else if (failures > told && !isFinal(step.phase)) {
      const last = step.attempts.findLast(({ phase }) => phase === 'Failed')!;
      const wait = step.retryAt === undefined ? 0 : Math.max(0, step.retryAt - (last.finishedAt ?? step.retryAt));
      const next = wait === 0 ? 'it is tried again' : `it is tried again in ${Math.ceil(wait / 1000)} s`;
      this.#warn('StepRetrying', `Attempt ${last.number} of step ${name} failed, ${next}`, last);
    }
  }

  #gateChanged(name: string, { phase, reason, message }: StepRecord): void {
    if (waitsForSomebody({ phase, reason })) {
      if (this.#open.has(name)) return;
      this.#open.add(name);
      const what = reason === 'WaitingForApproval' ? 'approval' : 'an input';
      const why = message === undefined ? '' : `: ${message}`;
      this.#tell({ reason, message: `Step ${name} waits for ${what}${why}` });
    } else if (this.#open.delete(name) && phase === 'Succeeded')
      this.#tell({ reason: 'GateOpened', message: `Step ${name}: ${message}` });
  }

  #warn(reason: string, what: string, why: { readonly reason: string; readonly message?: string }): void {
    const detail = why.message === undefined ? why.reason : `${why.reason}, ${why.message}`;
    this.#tell({ type: 'Warning', reason, message: `${what}: ${detail}` });
  }
}

function waitsForSomebody({ phase, reason }: Pick<StepRecord, 'phase' | 'reason'>): boolean {
  return phase === 'Waiting' && (reason === 'WaitingForApproval' || reason === 'WaitingForInput');
}

/** Events with every problem of a run; several when they do not fit one. */
export function problemNotes(reason: string, subject: string, problems: readonly Problem[]): EventNote[] {
  const notes: EventNote[] = [];
  let lines: string[] = [];
  const close = () => {
    if (lines.length > 0) notes.push({ type: 'Warning', reason, message: `${subject}: ${lines.join('; ')}` });
    lines = [];
  };
  for (const problem of problems) {
    const line = formatProblem(problem);
    if (lines.length > 0 && Buffer.byteLength(`${lines.join('; ')}; ${line}`) > ROOM) close();
    lines.push(line);
  }
  close();
  return notes;
}

function failedAttempts({ attempts }: StepRecord): number {
  return attempts.filter(({ phase }) => phase === 'Failed').length;
}
