import type { CommandModule } from '../command-module.ts';
import { addClusterOptions, type ClusterOptions } from '../options.ts';

/** Options of `skip`. */
export interface SkipOptions extends ClusterOptions {
  readonly comment?: string;
}

export const skipCommand: CommandModule = {
  name: 'skip',
  group: 'Run and watch',
  summary: 'skip a step of a run that has not begun, or waits for another try',
  configure(command, context) {
    addClusterOptions(command.argument('<run>', 'name of the run').argument('<step>', 'name of the step'))
      .option('--comment <text>', 'why; kept in the record')
      .addHelpText(
        'after',
        `
Steps after it go on as after one whose condition was false: those that only come after it run, those that take its values
are skipped, unless they have a default. It cannot be taken back. The same without this program:
  kubectl annotate job <run> cdk8s-workflows.dev/skip.<step>='why'
`,
      )
      .action(async (run: string, step: string, options: SkipOptions) =>
        (await import('../actions/skip.ts')).skip(context, run, step, options),
      );
  },
  async complete({ before, option }, context) {
    if (option !== undefined || before.length > 1) return undefined;
    const { completeNames, completeSteps } = await import('../cluster/complete-names.ts');
    return before[0] === undefined ? completeNames(context, 'runs') : completeSteps(context, before[0]);
  },
};
