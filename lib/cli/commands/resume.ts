import type { CommandModule } from '../command-module.ts';
import { addClusterOptions, type ClusterOptions } from '../options.ts';

export const resumeCommand: CommandModule = {
  name: 'resume',
  group: 'Run and watch',
  summary: 'let a suspended run go on, or end the pause of a launch plan',
  configure(command, context) {
    addClusterOptions(command.argument('<run|plan>', 'name of the run, or of a launch plan that is paused')).action(
      async (run: string, options: ClusterOptions) =>
        (await import('../actions/suspension.ts')).setSuspended(context, run, false, options),
    );
  },
  async complete({ before, option }, context) {
    if (option !== undefined || before.length > 0) return undefined;
    return (await import('../cluster/complete-names.ts')).completeNames(context, 'runs');
  },
};
