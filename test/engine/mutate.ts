import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { MutantResult, MutantTask } from './mutant.ts';
import type { Mutation } from './mutations.ts';

/** What became of an engine with a mistake. */
export interface Survival extends MutantResult {
  readonly mutation: Mutation;
  /** Trials played, the one that noticed included. */
  readonly trials: number;
}

const NO_ANSWER = 30_000;

/**
 * Plays trials with an engine that has this mistake until one of them notices. The files are left as they are.
 *
 * @throws Error when the mistake cannot be made: its text is not in the file
 */
export async function mutate(mutation: Mutation, from: number, seeds: number): Promise<Survival> {
  const workerData: MutantTask = { mutation, from, seeds };
  const execArgv = ['--conditions=source'];
  const worker = new Worker(new URL('./mutant.ts', import.meta.url), { workerData, execArgv });
  const timer = setTimeout(() => void worker.terminate(), NO_ANSWER);
  const answered = once(worker, 'message') as Promise<[MutantResult]>;
  const ended = once(worker, 'exit').then((): [MutantResult] => [{ seed: NaN, violation: 'it comes to no end' }]);
  const [result] = await Promise.race([answered, ended]);
  clearTimeout(timer);
  await worker.terminate();
  return { mutation, ...result, trials: result.seed === undefined ? seeds : result.seed - from + 1 };
}
