import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { LineSplitter, LogPosition, parseLogLine } from '../../lib/cli/cluster/runs/log-lines.ts';
import { LogPrinter } from '../../lib/cli/cluster/runs/log-printer.ts';
import { Output } from '../../lib/cli/terminal/output.ts';

describe('lines of a log', () => {
  it('are the same however the network cut the bytes', () => {
    const lines = fc.array(
      fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\n', ' ').replaceAll('\ufeff', ' ')),
    );
    fc.assert(
      fc.property(lines, fc.array(fc.nat(40)), (texts, cuts) => {
        const bytes = new TextEncoder().encode(texts.map((text) => `${text}\n`).join(''));
        const splitter = new LineSplitter();
        const found: string[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          found.push(...splitter.push(bytes.subarray(at, at + cut)));
          at += cut;
        }
        expect([...found, ...splitter.end()]).toEqual(texts);
      }),
    );
  });

  it('include a last one without a line end', () => {
    const splitter = new LineSplitter();
    expect([...splitter.push(Buffer.from('a\nb')), ...splitter.end()]).toEqual(['a', 'b']);
    expect(splitter.end()).toEqual([]);
  });

  it('are split from their timestamps, where they have some', () => {
    const time = '2026-03-01T10:00:00.123456789Z';
    expect(parseLogLine(`${time} hello world`)).toEqual({ time, text: 'hello world' });
    expect(parseLogLine(`${time} `)).toEqual({ time, text: '' });
    expect(parseLogLine('hello world')).toEqual({ text: 'hello world' });
  });
});

describe('a log that is taken up where it broke', () => {
  // Two outputs of a container, stamped slightly out of order, with equal lines at equal times.
  const log = fc
    .array(fc.record({ ms: fc.nat(5000), text: fc.constantFrom('a', 'b') }), { maxLength: 30 })
    .map((entries) => entries.sort((a, b) => Math.floor(a.ms / 500) - Math.floor(b.ms / 500)))
    .map((entries) => entries.map(({ ms, text }) => `${new Date(Date.UTC(2026, 2, 1) + ms).toISOString()} ${text}`));

  it('repeats no line and misses none, wherever it breaks', () => {
    fc.assert(
      fc.property(log, fc.array(fc.nat(30), { maxLength: 4 }), (lines, breaks) => {
        const position = new LogPosition();
        const seen: string[] = [];
        for (const stop of [...breaks, lines.length]) {
          const since = position.resume();
          const from = lines.filter((line) => since === undefined || line.slice(0, 19) >= since.slice(0, 19));
          for (const line of from.slice(0, stop)) if (position.take(line)) seen.push(line);
        }
        const since = position.resume();
        const rest = lines.filter((line) => since === undefined || line.slice(0, 19) >= since.slice(0, 19));
        for (const line of rest) if (position.take(line)) seen.push(line);
        expect(seen.toSorted()).toEqual(lines.toSorted());
      }),
    );
  });
});

describe('printing', () => {
  it('marks each line with its step, in colours on a terminal only', () => {
    const print = (colors: boolean, options: { prefixes: boolean; timestamps: boolean }): string => {
      let text = '';
      const stream = { write: (part: string) => (text += part) };
      const printer = new LogPrinter(new Output(stream, colors ? { FORCE_COLOR: '1' } : {}), options);
      printer.print('extract', '2026-03-01T10:00:00.1Z one');
      printer.print('load #2', '2026-03-01T10:00:01.1Z two');
      return text;
    };
    expect(print(false, { prefixes: true, timestamps: false })).toBe('[extract] one\n[load #2] two\n');
    expect(print(false, { prefixes: false, timestamps: true })).toBe(
      '2026-03-01T10:00:00.1Z one\n2026-03-01T10:00:01.1Z two\n',
    );
    expect(print(true, { prefixes: true, timestamps: false })).toBe(
      '\x1b[36m[extract]\x1b[39m one\n\x1b[32m[load #2]\x1b[39m two\n',
    );
  });
});
