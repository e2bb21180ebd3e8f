import { complete } from '../completion.ts';
import type { CliContext } from '../context.ts';
import { commandModules, createProgram } from '../program.ts';

/** `__complete`: the answer in lines for a shell. `:files` stands for the names of files. Never fails: there is nobody to tell. */
export async function candidateLines(words: readonly string[], context: CliContext): Promise<string[]> {
  const program = createProgram(context);
  const completion = await complete({ program, modules: commandModules, context }, words).catch(() => ({
    candidates: [],
  }));
  if ('files' in completion) return [':files'];
  return completion.candidates.map(({ value, description }) =>
    description === undefined ? value : `${value}\t${description}`,
  );
}
