import type { Output } from './output.ts';

const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[0J';

/**
 * Lines at the end of a terminal that are drawn again in place. The lines must fit into its width.
 *
 * A line is cleared as it is written: clearing the whole block first makes it flicker, and tmux takes a cleared screen into its
 * scrollback, a copy for each frame. After a resize some terminals have broken lines anew, and the top of a block stays behind
 * once; nothing above it is ever erased.
 */
export class ScreenBlock {
  readonly #output: Output;
  #height = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Replaces what stands there; `above` is written before it, to stay. */
  draw(lines: readonly string[], above: readonly string[] = []): void {
    const text = [...above, ...lines].map((line) => `${line}${CLEAR_LINE}\n`).join('');
    this.#output.write(`${this.#back()}${text}${CLEAR_BELOW}`);
    this.#height = lines.length;
  }

  /** Takes the lines away. */
  clear(): void {
    if (this.#height > 0) this.#output.write(`${this.#back()}${CLEAR_BELOW}`);
    this.#height = 0;
  }

  #back(): string {
    return this.#height === 0 ? '' : `\x1b[${this.#height}A\r`;
  }
}
