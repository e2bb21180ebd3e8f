import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeResult, encodeResult, expiryOf, type KeptResult } from '../engine/kept-result.ts';
import type { Instant } from '../engine/record.ts';

/** The results of steps that ran on this machine, a file each, mostly in `.workflows/cache`. Whatever is wrong with it, steps run as without it. */
export class LocalCache {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  find(key: string): KeptResult | undefined {
    try {
      return decodeResult(readFileSync(this.#fileOf(key), 'utf8'));
    } catch {
      return undefined;
    }
  }

  /** Readers see the old result or the new one, never half of it. */
  keep(key: string, result: KeptResult): void {
    try {
      mkdirSync(this.#path, { recursive: true });
      const temporary = `${this.#fileOf(key)}.${process.pid}.tmp`;
      writeFileSync(temporary, `${encodeResult(result)}\n`);
      renameSync(temporary, this.#fileOf(key));
    } catch {
      // A full disk keeps nothing.
    }
  }

  /** Deletes what is too old for anybody. */
  sweep(now: Instant): void {
    try {
      for (const name of readdirSync(this.#path)) {
        const file = join(this.#path, name);
        if (expiryOf({ run: '', step: '', at: statSync(file).mtimeMs }) <= now) rmSync(file, { force: true });
      }
    } catch {
      // There is none.
    }
  }

  #fileOf(key: string): string {
    return join(this.#path, `${key}.json`);
  }
}
