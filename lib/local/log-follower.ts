import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

const POLL_MS = 100;
const CHUNK_BYTES = 64 * 1024;
/** A line is passed on when it has so many characters, whether it has ended or not. */
const LINE_CHARACTERS = 64 * 1024;

/** Passes on the lines of growing logs. Files are read a few times a second: watching files loses changes on some systems. */
export class LogFollower {
  readonly #onLine: (step: string, line: string) => void;
  readonly #files = new Map<string, { step: string; descriptor: number; decoder: StringDecoder; rest: string }>();
  readonly #buffer = Buffer.alloc(CHUNK_BYTES);
  #timer: NodeJS.Timeout | undefined;

  constructor(onLine: (step: string, line: string) => void) {
    this.#onLine = onLine;
  }

  follow(step: string, file: string): void {
    this.#files.set(file, { step, descriptor: openSync(file, 'a+'), decoder: new StringDecoder('utf8'), rest: '' });
    this.#timer ??= setInterval(() => this.#readAll(), POLL_MS).unref();
  }

  /** Passes on what is left of a log that does not grow any more, also a last line without an end. */
  finish(file: string): void {
    const log = this.#files.get(file);
    if (log === undefined) return;
    this.#read(log);
    const rest = log.rest + log.decoder.end();
    if (rest !== '') this.#onLine(log.step, rest);
    closeSync(log.descriptor);
    this.#files.delete(file);
    if (this.#files.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #readAll(): void {
    for (const log of this.#files.values()) this.#read(log);
  }

  #read(log: { step: string; descriptor: number; decoder: StringDecoder; rest: string }): void {
    for (;;) {
      // Without a position, reading goes on where it ended.
      const length = readSync(log.descriptor, this.#buffer, 0, CHUNK_BYTES, null);
      if (length === 0) return;
      const lines = (log.rest + log.decoder.write(this.#buffer.subarray(0, length))).split('\n');
      log.rest = lines.pop() ?? '';
      for (const line of lines) this.#onLine(log.step, line);
      if (log.rest.length < LINE_CHARACTERS) continue;
      this.#onLine(log.step, log.rest);
      log.rest = '';
    }
  }
}
