import type { Command } from 'commander';
import type { CompletionRequest } from '../command-module.ts';
import type { CliContext } from '../context.ts';
import { addClusterOptions } from '../options.ts';

/** The argument of a command over runs and plans. */
export function addRunOrPlan(command: Command): Command {
  return addClusterOptions(
    command.argument('<run|plan>', 'name of a run or a plan; run/<name> or plan/<name> where both exist'),
  );
}

/** Names of runs and plans, for the shell's completion. */
export async function completeRunOrPlan({ before, option }: CompletionRequest, context: CliContext) {
  if (option !== undefined || before.length > 0) return undefined;
  const { completeNames } = await import('./complete-names.ts');
  const both = await Promise.all([completeNames(context, 'runs'), completeNames(context, 'plans')]);
  return both.flat();
}
