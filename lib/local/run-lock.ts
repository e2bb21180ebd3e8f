import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, type ProcessIdentity, type ProcessTable } from './process-table.ts';

/** Thrown when another living process drives the run. */
export class RunLockedError extends Error {
  override readonly name = 'RunLockedError';
  readonly pid: number;

  constructor(pid: number) {
    super(`process ${pid} is running it`);
    this.pid = pid;
  }
}

const NAME = /^lock\.(\d+)$/;

/**
 * Keeps two processes from driving one run. The locks of a run are numbered: the highest counts, and one whose process is gone
 * is passed over by making the next. Since a number is taken by creating its file, of two that try only one gets it.
 *
 * @throws RunLockedError when a living process has it
 */
export function lockRun(path: string, table: ProcessTable): Disposable {
  const self = table.identify(process.pid) ?? { pid: process.pid, startedAt: '', boot: '' };
  const draft = join(path, `lock-${process.pid}.tmp`);
  writeFileSync(draft, JSON.stringify(self));
  try {
    for (;;) {
      const numbers = lockNumbers(path);
      const last = numbers.at(-1) ?? 0;
      const holder = readLock(path, last);
      if (holder !== undefined && isAlive(table, holder)) throw new RunLockedError(holder.pid);
      const own = join(path, `lock.${last + 1}`);
      if (!take(draft, own)) continue;
      for (const number of numbers) rmSync(join(path, `lock.${number}`), { force: true });
      return { [Symbol.dispose]: () => rmSync(own, { force: true }) };
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** A link appears with its whole content or not at all, and not when the name is taken. */
function take(draft: string, own: string): boolean {
  try {
    linkSync(draft, own);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function lockNumbers(path: string): number[] {
  return readdirSync(path)
    .flatMap((file) => NAME.exec(file)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

function readLock(path: string, number: number): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(join(path, `lock.${number}`), 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}
