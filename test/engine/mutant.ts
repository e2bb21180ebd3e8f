/** A worker that plays trials with an engine that has a mistake, until one of them notices. Without `workerData` it does nothing. */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { Survival } from './mutate.ts';
import type { Mutation } from './mutations.ts';

/** What a mutant is given. */
export interface MutantTask {
  readonly mutation: Mutation;
  readonly from: number;
  readonly seeds: number;
}

/** What a mutant says: which trial it begins to play, and at last what came of them. */
export type MutantMessage = { readonly playing: number } | Exclude<Survival, { readonly outcome: 'no end' }>;

const { mutation, from, seeds } = workerData as MutantTask;
const url = new URL(`../../lib/engine/${mutation.file}`, import.meta.url);
const parts = readFileSync(url, 'utf8').split(mutation.find);
if (parts.length !== 2)
  throw new Error(
    `the mutation "${mutation.name}" does not apply: its text stands ${parts.length - 1} times in ${mutation.file}`,
  );
registerHooks({
  load(loaded, context, next) {
    const result = next(loaded, context);
    return loaded === url.href ? { ...result, source: parts.join(mutation.replace) } : result;
  },
});

// Only what is loaded from now on has the mistake.
const { judge, randomTrial } = await import('./trial.ts');
const { judgeShared, randomSharedTrial } = await import('./shared-trial.ts');
const say = (message: MutantMessage): void => parentPort!.postMessage(message);

function play(): MutantMessage {
  for (let seed = from; seed < from + seeds; seed++) {
    say({ playing: seed });
    const violation = mutation.shared ? judgeShared(randomSharedTrial(seed)) : judge(randomTrial(seed)).violation;
    if (violation !== undefined) return { outcome: 'noticed', seed, violation };
  }
  return { outcome: 'survived' };
}

say(play());
