import { textWidth } from './table.ts';
import type { Output } from './output.ts';

/** A line with columns to the right of it. */
export interface AnnotatedLine {
  readonly text: string;
  /** Plain text by column; left out or empty where there is nothing to tell. The last may have several lines. */
  readonly columns?: readonly string[];
  /** Whether the columns are headers. */
  readonly heading?: boolean;
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
    (_, column) => Math.max(0, ...told.map(({ columns }) => cellWidth(columns![column] ?? ''))) + GAP,
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

function format(
  { text, columns = [], heading, style = same }: AnnotatedLine,
  { left, widths, beside }: Layout,
): string {
  const pad = (cell: string, width: number) => cell + ' '.repeat(Math.max(GAP, width - textWidth(cell)));
  const cells = columns.map((cell, column) =>
    cell.split('\n').map((line) => (line === '' ? line : style(line, column))),
  );
  const shown = cells.slice(0, beside).map(([cell = ''], column) => pad(cell, widths[column]!));
  const first = [columns.length > 0 ? pad(style(text, undefined), left) : style(text, undefined), ...shown];
  // What stands beside has its further lines below; what does not has all of them there.
  const indent = left + widths.slice(0, beside - 1).reduce((sum, width) => sum + width, 0);
  const further = (cells[beside - 1] ?? []).slice(1).map((line) => ' '.repeat(indent) + line);
  const below = heading
    ? []
    : cells
        .slice(beside)
        .flat()
        .filter(Boolean)
        .map((line) => ' '.repeat(left) + line);
  return [first.join(''), ...further, ...below].map((line) => `${line.trimEnd()}\n`).join('');
}

function cellWidth(cell: string): number {
  return Math.max(...cell.split('\n').map(textWidth));
}

function same(text: string): string {
  return text;
}
