import type { CommandModule } from '../command-module.ts';
import { addClusterOptions, addOutputOption, type ClusterOptions } from '../options.ts';

/** Options of `describe`. */
export interface DescribeOptions extends ClusterOptions {
  readonly output?: 'json' | 'yaml' | 'wide';
}

export const describeCommand: CommandModule = {
  name: 'describe',
  group: 'Run and watch',
  summary: 'show a run with its steps, why they wait or failed, and its events',
  configure(command, context) {
    addClusterOptions(command.argument('<run>', 'name of the run'));
    addOutputOption(command, ['json', 'yaml', 'wide'])
      .addHelpText('after', '\nWith -o wide the outputs of every step are shown too.\n')
      .action(async (run: string, options: DescribeOptions) =>
        (await import('../actions/describe.ts')).describe(context, run, options),
      );
  },
  async complete({ before, option }, context) {
    if (option !== undefined || before.length > 0) return undefined;
    return (await import('../cluster/complete-names.ts')).completeNames(context, 'runs');
  },
};
