import { textWidth } from './table.ts';
import type { Output } from './output.ts';

/** A line with columns to the right of it. */
export interface AnnotatedLine {
  readonly text: string;
  /** Plain text by column; left out or empty where there is nothing to tell. */
  readonly columns?: readonly string[];
  /** Colours the line, and its columns. */
  readonly style?: (text: string, column: number | undefined) => string;
}

/** A line longer than this does not push the columns of all others to the right. */
const WIDEST = 56;
const GAP = 3;

/**
 * Lines with aligned columns beside them. Where they do not fit into the terminal, the last column goes below the others.
 */
export function formatAnnotated(lines: readonly AnnotatedLine[], output: Output): string {
  const told = lines.filter(({ columns }) => columns !== undefined);
  const left = Math.max(0, ...told.map(({ text }) => textWidth(text)).filter((width) => width <= WIDEST)) + GAP;
  const count = Math.max(0, ...told.map(({ columns }) => columns!.length));
  const widths = Array.from(
    { length: count },
    (_, column) => Math.max(0, ...told.map(({ columns }) => textWidth(columns![column] ?? ''))) + GAP,
  );
  const total = left + widths.reduce((sum, width) => sum + width, -GAP);
  const beside = output.isTerminal && total > output.columns ? count - 1 : count;
  return lines.map((line) => format(line, { left, widths, beside })).join('');
}

interface Layout {
  readonly left: number;
  readonly widths: readonly number[];
  /** How many of the columns stand beside the line. */
  readonly beside: number;
}

function format({ text, columns = [], style = same }: AnnotatedLine, { left, widths, beside }: Layout): string {
  const pad = (cell: string, width: number) => ' '.repeat(Math.max(GAP, width - textWidth(cell)));
  const shown = columns.slice(0, beside).map((cell, column) => style(cell, column) + pad(cell, widths[column]!));
  const first = [style(text, undefined) + (columns.length > 0 ? pad(text, left) : ''), ...shown].join('').trimEnd();
  const below = columns.slice(beside).flatMap((cell, index) => {
    return cell === '' ? [] : [`\n${' '.repeat(left)}${style(cell, beside + index)}`];
  });
  return `${first}${below.join('')}\n`;
}

function same(text: string): string {
  return text;
}
