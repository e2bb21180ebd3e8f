import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { formatAge, formatDuration, formatElapsed } from '../../lib/cli/terminal/duration.ts';
import { formatTable, textWidth, truncate, type Column } from '../../lib/cli/terminal/table.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

// The table of kubectl's own test. (apimachinery/pkg/util/duration/duration_test.go: TestHumanDuration)
test.each([
  [1000, '1s'],
  [70_000, '70s'],
  [190_000, '3m10s'],
  [70 * MINUTE, '70m'],
  [47 * HOUR, '47h'],
  [49 * HOUR, '2d1h'],
  [(8 * 24 + 2) * HOUR, '8d'],
  [367 * DAY, '367d'],
  [(365 * 2 + 25) * DAY, '2y25d'],
  [(365 * 8 + 2) * DAY, '8y'],
  [-5, '0s'],
  [2 * MINUTE, '2m'],
  [10 * MINUTE, '10m'],
  [3 * HOUR, '3h'],
  [7 * HOUR + 59 * MINUTE, '7h59m'],
  [2 * DAY, '2d'],
  [2 * 365 * DAY, '2y'],
])('%d ms is %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test.each([
  [0, '0.0s'],
  [8.6, '8ms'],
  [99, '99ms'],
  [100, '0.1s'],
  [9_999, '9.9s'],
  [10_000, '10s'],
])('%d ms passed is %s', (ms, text) => {
  expect(formatElapsed(ms)).toBe(text);
});

test('an age needs a timestamp', () => {
  expect(formatAge('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:03:20Z'))).toBe('3m20s');
  expect(formatAge(undefined, 0)).toBe('<unknown>');
  expect(formatAge('yesterday', 0)).toBe('<unknown>');
});

interface Row {
  readonly name: string;
  readonly note: string;
}

const columns: readonly Column<Row>[] = [
  { header: 'NAME', value: ({ name }) => name, style: (text) => `\u001b[1m${text}\u001b[22m` },
  { header: 'EXTRA', value: () => 'x', wide: true },
  { header: 'NOTE', value: ({ note }) => note },
];

test('columns are aligned by what is seen, and lines have no trailing spaces', () => {
  const rows = [
    { name: '日本', note: 'two wide' },
    { name: 'é', note: '' },
    { name: '\u001b[31mred\u001b[39m', note: 'a\nb' },
  ];
  expect(stripVTControlCharacters(formatTable(columns, rows))).toBe('NAME   NOTE\n日本   two wide\né\nred    a b\n');
});

test('wide columns come when they are asked for, headers may stay away', () => {
  const rows = [{ name: 'a', note: 'n' }];
  const plain = columns.map(({ style: _, ...column }) => column);
  expect(formatTable(plain, rows, { wide: true })).toBe('NAME   EXTRA   NOTE\na      x       n\n');
  expect(formatTable(plain, rows, { headers: false })).toBe('a   n\n');
  expect(formatTable(plain, [])).toBe('NAME   NOTE\n');
});

test.each([
  ['abc', 3, 'abc'],
  ['abcd', 3, 'ab…'],
  ['日本語', 5, '日本…'],
  ['abc', 1, '…'],
  ['abc', 0, ''],
])('%j in %d columns is %j', (text, room, expected) => {
  expect(truncate(text, room)).toBe(expected);
  expect(textWidth(expected)).toBeLessThanOrEqual(room);
});
