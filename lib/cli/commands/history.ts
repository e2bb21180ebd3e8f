import type { CommandModule } from '../command-module.ts';
import { addClusterOptions, addOutputOption, type ClusterOptions } from '../options.ts';

/** Options of `history`. */
export interface HistoryOptions extends ClusterOptions {
  readonly output?: 'json' | 'wide';
}

export const historyCommand: CommandModule = {
  name: 'history',
  group: 'Operate',
  summary: 'list the versions of a launch plan that are on the cluster, newest first',
  configure(command, context) {
    addOutputOption(addClusterOptions(command.argument('<plan>', 'name of the launch plan')), ['json', 'wide']).action(
      async (plan: string, options: HistoryOptions) =>
        (await import('../actions/history.ts')).history(context, plan, options),
    );
  },
  async complete({ before, option }, context) {
    if (option !== undefined || before.length > 0) return undefined;
    return (await import('../cluster/complete-names.ts')).completeNames(context, 'plans');
  },
};
