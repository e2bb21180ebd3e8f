import { on } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { MutantMessage, MutantTask } from './mutant.ts';
import type { Mutation } from './mutations.ts';

/**
 * What became of an engine with a mistake: a trial noticed it, all of them were played in vain, or one of them came to no end, in which
 * case nothing was judged.
 */
export type Survival =
  | { readonly outcome: 'noticed'; readonly seed: number; readonly violation: string }
  | { readonly outcome: 'survived' }
  | { readonly outcome: 'no end'; readonly seed: number };

/** How long a mutant may be at one trial, which takes milliseconds, before it is taken to go round for ever. */
export const NO_END_MS = 30_000;

/**
 * Plays trials with an engine that has this mistake until one of them notices. The files are left as they are.
 *
 * @throws Error when the mistake cannot be made: its text is not in the file
 */
export async function mutate(mutation: Mutation, from: number, seeds: number): Promise<Survival> {
  const workerData: MutantTask = { mutation, from, seeds };
  const execArgv = ['--conditions=source'];
  const worker = new Worker(new URL('./mutant.ts', import.meta.url), { workerData, execArgv });
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), NO_END_MS);
  let seed = from;
  try {
    for await (const [message] of on(worker, 'message', { signal: silence.signal })) {
      timer.refresh();
      const said = message as MutantMessage;
      if (!('playing' in said)) return said;
      seed = said.playing;
    }
  } catch (error) {
    if (!silence.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
  return { outcome: 'no end', seed };
}
