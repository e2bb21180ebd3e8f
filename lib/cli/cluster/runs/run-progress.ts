import { elapsed, stepMessage } from '../../terminal/step-lines.ts';
import { tellingSteps } from './telling-steps.ts';
import type { CliContext } from '../../context.ts';
import { LiveBlock } from '../../terminal/live-block.ts';
import type { Output } from '../../terminal/output.ts';
import { runView, type RunView } from './run-view.ts';
import { paintRunPhase } from './runs-view.ts';
import { phaseStyle, type PhaseStyle } from '../../terminal/phases.ts';
import type { RunState } from '../../../runs/run-state.ts';

/** How often a terminal's picture is drawn anew, so that durations go on. */
const FRAME_MS = 250;

/**
 * Shows a run on stderr while it goes on: on a terminal as a picture that is drawn in place, elsewhere as a line for each change, as a log
 * of a build wants it.
 */
export class RunProgress {
  readonly #output: Output;
  readonly #phases: PhaseStyle;
  readonly #block: LiveBlock;
  readonly #now: () => number;
  readonly #told = new Map<string, string>();
  #state: RunState | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor({ err, env }: CliContext, now: () => number = Date.now) {
    this.#output = err;
    this.#phases = phaseStyle(err.colors, env);
    this.#block = new LiveBlock(err);
    this.#now = now;
  }

  show(state: RunState): void {
    this.#state = state;
    if (!this.#output.isTerminal) return this.#tell(runView(state, this.#now()));
    this.#timer ??= setInterval(() => this.#draw(), FRAME_MS);
    this.#draw();
  }

  /** Ends the drawing; the last picture stays. */
  end(last?: RunState): void {
    clearInterval(this.#timer);
    if (last !== undefined) this.#state = last;
    if (this.#state === undefined) return;
    if (!this.#output.isTerminal) return this.#tell(runView(this.#state, this.#now()));
    this.#draw();
    this.#block.keep();
  }

  #draw(): void {
    if (this.#state === undefined) return;
    this.#block.draw(progressLines(runView(this.#state, this.#now()), this.#output, this.#phases));
  }

  #tell(run: RunView): void {
    // A run is Pending for a moment only; that no controller is there was said when it was launched.
    if (run.phase === 'Pending') return;
    this.#tellOnce('', `${run.name} ${run.phase}${run.message === undefined ? '' : `: ${run.message}`}`);
    for (const step of run.steps) {
      if (step.phase === 'Pending') continue;
      const tries = step.attempts.length > 1 ? ` (attempt ${step.attempts.length})` : '';
      const took =
        step.phase === 'Running' || step.durationSeconds === undefined ? '' : ` after ${elapsed(step.durationSeconds)}`;
      // What a running step does changes by the second and is no news; the key leaves it out.
      const why = step.phase === 'Running' ? '' : stepMessage(step);
      const key = `${step.phase} ${step.attempts.length} ${step.reason}`;
      this.#tellOnce(
        step.name,
        `[${step.name}] ${step.phase}${tries}${took}${why === '' ? '' : `: ${why}`}`,
        step.phase === 'Running' ? `${step.phase}${tries}` : key,
      );
    }
  }

  #tellOnce(subject: string, line: string, key = line): void {
    if (this.#told.get(subject) === key) return;
    this.#told.set(subject, key);
    this.#output.line(line);
  }
}

/** A run and its steps as the lines of a live picture: what happens now comes first when not all fits. */
export function progressLines(run: RunView, { colors, stream }: Output, phases: PhaseStyle): string[] {
  const { progress } = run;
  const done = progress === undefined ? '' : `  ${progress.succeeded}/${progress.total}`;
  const title = `${colors.bold(run.name)}  ${paintRunPhase(run.phase, colors)(run.phase)}${done}  ${elapsed(run.durationSeconds)}`;
  const head = run.message === undefined ? [title] : [title, colors.dim(run.message)];
  if (run.steps.length === 0) return head;
  const room = (stream.rows || 24) - head.length - 3;
  return [...head, ...tellingSteps(run.steps, room, phases, colors)];
}
