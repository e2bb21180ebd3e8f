/** A line of a log that was asked for with timestamps. */
export interface LogLine {
  /** RFC 3339 with nanoseconds; nothing when the line has none. */
  readonly time?: string;
  readonly text: string;
}

/** Cuts the bytes of a log into lines, however the network cut them. Characters of several bytes stay whole. */
export class LineSplitter {
  readonly #decoder = new TextDecoder();
  #rest = '';

  /** The lines that this chunk completes. */
  push(chunk: Uint8Array): string[] {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines;
  }

  /** What came after the last line end. */
  end(): string[] {
    const rest = this.#rest + this.#decoder.decode();
    this.#rest = '';
    return rest === '' ? [] : [rest];
  }
}

/** Splits the timestamp off a line. */
export function parseLogLine(line: string): LogLine {
  const space = line.indexOf(' ');
  const time = space < 0 ? line : line.slice(0, space);
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(time)
    ? { time, text: space < 0 ? '' : line.slice(space + 1) }
    : { text: line };
}

/** How far back the lines of a new stream may begin. The server takes whole seconds, and the two outputs of a container may be stamped out of order. */
const OVERLAP_SECONDS = 1;

/**
 * Where the reading of a log stands, so that a broken stream can be taken up again without a line twice or missing. It
 * remembers the lines of the last seconds; those that the new stream repeats are passed over as often as they were seen.
 */
export class LogPosition {
  #recent: { second: number; line: string }[] = [];
  #repeated = new Map<string, number>();
  #last: number | undefined;

  /** The time to ask a new stream from; nothing when no line was seen yet. */
  resume(): string | undefined {
    if (this.#last === undefined) return undefined;
    this.#repeated = new Map();
    for (const { line } of this.#recent) this.#repeated.set(line, (this.#repeated.get(line) ?? 0) + 1);
    return `${new Date((this.#last - OVERLAP_SECONDS) * 1000).toISOString().slice(0, 19)}Z`;
  }

  /** Whether a line, with its timestamp, is new. */
  take(line: string): boolean {
    const repeats = this.#repeated.get(line) ?? 0;
    if (repeats > 0) {
      this.#repeated.set(line, repeats - 1);
      return false;
    }
    const { time } = parseLogLine(line);
    const second = time === undefined ? (this.#last ?? 0) : Math.floor(Date.parse(time) / 1000);
    if (this.#last === undefined || second > this.#last) {
      this.#last = second;
      this.#recent = this.#recent.filter((seen) => seen.second >= second - OVERLAP_SECONDS);
    }
    this.#recent.push({ second, line });
    return true;
  }
}
