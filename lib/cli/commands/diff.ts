import type { CommandModule } from '../command-module.ts';
import { addOutputOption } from '../options.ts';
import { addTargetOptions, completeTarget, type TargetCommandOptions } from './apply.ts';

/** Options of `diff`. */
export interface DiffOptions extends TargetCommandOptions {
  readonly output?: 'json';
}

export const diffCommand: CommandModule = {
  name: 'diff',
  group: 'Run and watch',
  summary: 'show what apply would change on clusters, field by field',
  configure(command, context) {
    addOutputOption(addTargetOptions(command), ['json'])
      .addHelpText(
        'after',
        `
The clusters say what they would make of each object that is not as it was applied; nothing is written. Values are those of the
cluster, then those after an apply.

Exit codes: 0 nothing would change, 1 something would, 2 something could not be applied or a cluster could not be asked.

Examples:
  ${context.program} diff                    every cluster of the fleet
  ${context.program} diff test -o json
  ${context.program} diff dist -n etl
`,
      )
      .action(async (argument: string | undefined, options: DiffOptions) =>
        (await import('../actions/diff.ts')).diff(context, argument, options),
      );
  },
  complete: completeTarget,
};
