import type { Output } from './output.ts';

const CLEAR_TO_END = '\x1b[0J';
const WRAP_OFF = '\x1b[?7l';
const WRAP_ON = '\x1b[?7h';

/**
 * Lines at the end of a terminal that are drawn again in place. On anything but a terminal nothing is drawn, so that
 * a log file does not fill with frames.
 */
export class LiveBlock {
  readonly #output: Output;
  #drawn = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Replaces what stands there. Lines that are too long are cut by the terminal, those that do not fit in height are counted. */
  draw(lines: readonly string[]): void {
    if (!this.#output.isTerminal) return;
    const shown = fitting(lines, (this.#output.stream.rows ?? 24) - 1);
    this.#output.write(
      `${this.#back()}${CLEAR_TO_END}${WRAP_OFF}${shown.map((line) => `${line}\n`).join('')}${WRAP_ON}`,
    );
    this.#drawn = shown.length;
  }

  /** Takes the lines away. */
  clear(): void {
    if (this.#drawn > 0) this.#output.write(`${this.#back()}${CLEAR_TO_END}`);
    this.#drawn = 0;
  }

  /** Leaves the lines where they are; the next {@link draw} begins below them. */
  keep(): void {
    this.#drawn = 0;
  }

  #back(): string {
    return this.#drawn === 0 ? '' : `\x1b[${this.#drawn}A\r`;
  }
}

function fitting(lines: readonly string[], height: number): readonly string[] {
  if (lines.length <= height) return lines;
  const shown = lines.slice(0, Math.max(0, height - 1));
  return [...shown, `… ${lines.length - shown.length} more`];
}
