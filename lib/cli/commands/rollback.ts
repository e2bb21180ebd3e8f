import type { CommandModule } from '../command-module.ts';
import { addClusterOptions, type ClusterOptions } from '../options.ts';

/** Options of `rollback`. */
export interface RollbackOptions extends ClusterOptions {
  readonly to?: string;
  readonly dryRun?: boolean;
}

export const rollbackCommand: CommandModule = {
  name: 'rollback',
  group: 'Operate',
  summary: 'let a launch plan start its runs with an earlier version',
  configure(command, context) {
    addClusterOptions(command.argument('<plan>', 'name of the launch plan'))
      .option('--to <version>', 'version to take, or the beginning of it; the one before the current when left out')
      .option('--dry-run', 'let the cluster check it and change nothing')
      .addHelpText(
        'after',
        `
The versions are those that "${context.program} history <plan>" lists. Inputs, schedule and settings of the plan stay as they are; runs
that there are keep their version. The next apply reports the plan as changed by hand.
`,
      )
      .action(async (plan: string, options: RollbackOptions) =>
        (await import('../actions/rollback.ts')).rollback(context, plan, options),
      );
  },
  async complete({ before, option }, context) {
    const { completeNames, completeVersions } = await import('../cluster/complete-names.ts');
    if (option === '--to') return before[0] === undefined ? [] : completeVersions(context, before[0]);
    return option !== undefined || before.length > 0 ? undefined : completeNames(context, 'plans');
  },
};
