import { stripVTControlCharacters } from 'node:util';
import type { Decision } from '../../engine/advance.ts';
import type { Run } from '../../engine/run.ts';
import type { CliContext } from '../context.ts';
import { phaseStyle, type PhaseStyle } from '../terminal/phases.ts';
import { RunEvents } from './events.ts';
import { ScreenBlock } from '../terminal/screen-block.ts';
import { runLines } from './view.ts';

const FRAME_MS = 100;

/** Shows a run while it goes on, on stderr: drawn in place on a terminal, a line for each event elsewhere. */
export class LocalProgress {
  readonly #context: CliContext;
  readonly #style: PhaseStyle;
  readonly #steps: readonly string[];
  readonly #events: RunEvents;
  readonly #block: ScreenBlock;
  readonly #tags: ReadonlyMap<string, string>;
  #title: string;
  #printed: string[] = [];
  #run: Run | undefined;
  #tick = 0;
  #left = false;
  #paused = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: CliContext, title: string, steps: readonly string[]) {
    const { colors } = context.err;
    this.#context = context;
    this.#title = title;
    this.#steps = steps;
    this.#style = phaseStyle(colors, context.env);
    this.#events = new RunEvents(steps, this.#style);
    this.#block = new ScreenBlock(context.err);
    const paints = [colors.cyan, colors.yellow, colors.magenta, colors.green, colors.blue];
    const width = Math.min(40, Math.max(0, ...steps.map((name) => name.length)));
    this.#tags = new Map(
      steps.map((name, index) => [name, paints[index % paints.length]!(`[${name}]`.padEnd(width + 2))]),
    );
  }

  /** Takes in a turn of the engine. */
  turn(run: Run, decision: Decision): void {
    this.#run = run;
    if (!this.#context.err.isTerminal) {
      for (const line of this.#events.lines(run, decision, Date.now())) this.#context.err.line(line);
      return;
    }
    this.#start();
  }

  /** A line that a step printed. */
  log(step: string, line: string): void {
    this.print(`${this.#tags.get(step) ?? `[${step}]`} ${printable(line, this.#context.err.colors.isColorSupported)}`);
  }

  /** A line that stays. On a terminal lines are written with the next frame, so that a step that prints much does not make it flicker. */
  print(line: string): void {
    this.#left = true;
    if (this.#timer === undefined) this.#context.err.line(line);
    else this.#printed.push(line);
  }

  /** Changes what stands above the steps. */
  retitle(title: string): void {
    this.#title = title;
  }

  /** Takes the drawing away until {@link resume}, to make room for a question. */
  pause(): void {
    this.#paused = true;
    this.#stop();
  }

  /** Draws again. */
  resume(): void {
    this.#paused = false;
    if (this.#run !== undefined && !this.#run.finished) this.#start();
  }

  #start(): void {
    if (this.#timer !== undefined || this.#paused || !this.#context.err.isTerminal) return;
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), FRAME_MS);
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#block.clear();
    for (const line of this.#printed.splice(0)) this.#context.err.line(line);
  }

  /** Takes the drawing away; what was printed stays. */
  end(): void {
    this.#paused = true;
    this.#stop();
    // What follows is the result, which stands apart from what steps printed.
    if (this.#left && this.#context.err.isTerminal) this.#context.err.line();
  }

  #draw(): void {
    const { err } = this.#context;
    if (this.#run === undefined) return;
    const { columns, stream, colors } = err;
    const rows = stream.rows ?? 24;
    const [title, run, steps, style] = [this.#title, this.#run, this.#steps, this.#style];
    const now = Date.now();
    const lines = runLines({ run, title, steps, now, tick: this.#tick++, columns, rows, style, colors });
    this.#block.draw(lines, this.#printed.splice(0));
  }
}

/** What a step prints must not move the cursor: colours stay where they are wanted, other control sequences go, and a progress bar is its last state. */
export function printable(line: string, colors: boolean): string {
  const visible = line.replace(/\r+$/, '');
  const last = visible.slice(visible.lastIndexOf('\r') + 1);
  if (!colors || !last.includes('\u001b')) return stripVTControlCharacters(last).replace(CONTROLS, '');
  const parts = last.split(COLOURS);
  const safe = parts.map((part, index) =>
    index % 2 === 1 ? part : stripVTControlCharacters(part).replace(CONTROLS, ''),
  );
  return parts.length > 1 ? `${safe.join('')}\u001b[0m` : safe.join('');
}

// eslint-disable-next-line no-control-regex -- colours begin with an escape
const COLOURS = /(\u001b\[[\d;]*m)/;
// eslint-disable-next-line no-control-regex -- all but the tab
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g;
