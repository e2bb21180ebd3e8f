import { parseLogLine } from './log-lines.ts';
import type { Colors, Output } from '../../terminal/output.ts';

/** How to print the lines of several steps. */
export interface LogPrinterOptions {
  /** Begin every line with its step. */
  readonly prefixes: boolean;
  readonly timestamps: boolean;
}

/** Prints whole lines of the logs of a run's steps, each with its step, and each step with a colour of its own. */
export class LogPrinter {
  readonly #output: Output;
  readonly #options: LogPrinterOptions;
  readonly #styles: readonly ((text: string) => string)[];
  readonly #byTitle = new Map<string, (text: string) => string>();

  constructor(output: Output, options: LogPrinterOptions) {
    this.#output = output;
    this.#options = options;
    this.#styles = stylesOf(output.colors);
  }

  /** Prints a line that begins with its timestamp. */
  print(title: string, line: string): void {
    const { time, text } = parseLogLine(line);
    const stamp = this.#options.timestamps && time !== undefined ? `${time} ` : '';
    this.#output.line(`${this.#prefix(title)}${stamp}${text}`);
  }

  #prefix(title: string): string {
    if (!this.#options.prefixes) return '';
    let style = this.#byTitle.get(title);
    if (style === undefined) {
      style = this.#styles[this.#byTitle.size % this.#styles.length]!;
      this.#byTitle.set(title, style);
    }
    return `${style(`[${title}]`)} `;
  }
}

function stylesOf(colors: Colors): readonly ((text: string) => string)[] {
  return [colors.cyan, colors.green, colors.yellow, colors.magenta, colors.blue, colors.cyanBright, colors.greenBright];
}
