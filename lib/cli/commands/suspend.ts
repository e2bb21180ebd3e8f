import type { CommandModule } from '../command-module.ts';
import { addClusterOptions, type ClusterOptions } from '../options.ts';

export const suspendCommand: CommandModule = {
  name: 'suspend',
  group: 'Run and watch',
  summary: 'let a run start nothing new',
  configure(command, context) {
    addClusterOptions(command.argument('<run>', 'name of the run')).action(
      async (run: string, options: ClusterOptions) =>
        (await import('../actions/suspension.ts')).setSuspended(context, run, true, options),
    );
  },
  async complete({ before, option }, context) {
    if (option !== undefined || before.length > 0) return undefined;
    return (await import('../cluster/complete-names.ts')).completeNames(context, 'runs');
  },
};
