import type { Output } from './output.ts';
import { ScreenBlock } from './screen-block.ts';

// Without wrapping a line that is too long is cut by the terminal, colours and all.
const WRAP_OFF = '\x1b[?7l';
const WRAP_ON = '\x1b[?7h';

/**
 * Lines at the end of a terminal that are drawn again in place, however long and however many. On anything but a terminal
 * nothing is drawn, so that a log file does not fill with frames.
 */
export class LiveBlock {
  readonly #output: Output;
  #screen: ScreenBlock;

  constructor(output: Output) {
    this.#output = output;
    this.#screen = new ScreenBlock(output);
  }

  /** Replaces what stands there. Lines that are too long are cut, those that do not fit in height are counted. */
  draw(lines: readonly string[]): void {
    if (!this.#output.isTerminal) return;
    this.#output.write(WRAP_OFF);
    this.#screen.draw(fitting(lines, (this.#output.stream.rows || 24) - 1));
    this.#output.write(WRAP_ON);
  }

  /** Takes the lines away. */
  clear(): void {
    this.#screen.clear();
  }

  /** Leaves the lines where they are; the next {@link draw} begins below them. */
  keep(): void {
    this.#screen = new ScreenBlock(this.#output);
  }
}

function fitting(lines: readonly string[], height: number): readonly string[] {
  if (lines.length <= height) return lines;
  const shown = lines.slice(0, Math.max(0, height - 1));
  return [...shown, `… ${lines.length - shown.length} more`];
}
