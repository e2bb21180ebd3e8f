import { stripVTControlCharacters } from 'node:util';

/** A column of a table over rows of one type. */
export interface Column<Row> {
  /** In capitals, as kubectl's. */
  readonly header: string;
  readonly value: (row: Row) => string;
  /** Only with `-o wide`. */
  readonly wide?: boolean;
  /** Colours a padded cell. */
  readonly style?: (text: string, row: Row) => string;
}

/**
 * Rows as aligned columns three spaces apart, as kubectl prints them, with a closing line end. `widths` are those of rows that were
 * printed before; they are widened for those that are printed after.
 */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: { wide?: boolean; headers?: boolean; widths?: number[] } = {},
): string {
  const shown = columns.filter((column) => options.wide === true || column.wide !== true);
  const cells = rows.map((row) => shown.map((column) => oneLine(column.value(row))));
  const headers = options.headers === false ? [] : [shown.map((column) => column.header)];
  const widths = options.widths ?? [];
  for (const index of shown.keys())
    widths[index] = Math.max(widths[index] ?? 0, ...[...headers, ...cells].map((line) => textWidth(line[index]!)));
  const line = (texts: readonly string[], style: (text: string, index: number) => string) =>
    texts
      .map(
        (text, index) =>
          style(text, index) + ' '.repeat(index === shown.length - 1 ? 0 : widths[index]! - textWidth(text) + 3),
      )
      .join('')
      .trimEnd();
  const lines = [
    ...headers.map((texts) => line(texts, (text) => text)),
    ...cells.map((texts, row) => line(texts, (text, index) => shown[index]!.style?.(text, rows[row]!) ?? text)),
  ];
  return lines.map((text) => `${text}\n`).join('');
}

/** Line ends would tear the table apart. */
function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ');
}

const WIDE = /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}/u;
const graphemes = new Intl.Segmenter();

/** How many columns of a terminal a text takes; colours take none. */
export function textWidth(text: string): number {
  const plain = stripVTControlCharacters(text);
  if (/^[\x20-\x7e]*$/.test(plain)) return plain.length;
  let width = 0;
  for (const { segment } of graphemes.segment(plain)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** The text if it fits into so many columns of a terminal, else its beginning and an ellipsis. Takes plain text. */
export function truncate(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let cut = '';
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += WIDE.test(segment) ? 2 : 1;
    if (width > columns - 1) break;
    cut += segment;
  }
  return columns < 1 ? '' : `${cut}…`;
}
