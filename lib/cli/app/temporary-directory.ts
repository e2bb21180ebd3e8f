import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { constants } from 'node:os';

/** Gives work a new directory whose path begins with `prefix`, and removes it in the end, also when a signal ends this process. */
export async function withTemporaryDirectory<T>(prefix: string, work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(prefix);
  const remove = () => rmSync(directory, { recursive: true, force: true });
  const onSignal = (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => {
    remove();
    process.exit(128 + constants.signals[signal]);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await work(directory);
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
    remove();
  }
}
