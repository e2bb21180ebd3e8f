import type { CommandModule } from '../command-module.ts';
import { completeGroups } from './plans.ts';
import { addClusterOptions, type ClusterOptions } from '../options.ts';

/** Options of `rollback`. */
export interface RollbackOptions extends ClusterOptions {
  readonly group?: string;
  readonly to?: string;
  readonly dryRun?: boolean;
}

export const rollbackCommand: CommandModule = {
  name: 'rollback',
  group: 'Operate',
  summary: 'let a launch plan, or every plan of a group, start its runs with an earlier version',
  configure(command, context) {
    addClusterOptions(command.argument('[plan]', 'name of the launch plan; or give --group'))
      .option('-g, --group <name>', 'every plan of this group; none before all were checked')
      .option('--to <version>', 'version to take, or the beginning of it; the one before the current when left out')
      .option('--dry-run', 'let the cluster check it and change nothing')
      .addHelpText(
        'after',
        `
The versions are those that "${context.program} history <plan>" lists. Inputs, schedule and settings of the plan stay as they are; runs
that there are keep their version. A plan that was applied by "${context.program} apply" is held there, until promote lets it go; of any other
the next apply reports that it was changed by hand. A group goes back to what the plans have that are held, as by a canary, else to the version
before the newest.
`,
      )
      .action(async (plan: string | undefined, options: RollbackOptions) =>
        (await import('../actions/rollback.ts')).rollback(context, plan, options),
      );
  },
  async complete(request, context) {
    const { before, option } = request;
    const { completeNames, completeVersions } = await import('../cluster/complete-names.ts');
    if (option === '--to') return before[0] === undefined ? [] : completeVersions(context, before[0]);
    if (option !== undefined) return completeGroups(request, context);
    return before.length > 0 ? undefined : completeNames(context, 'plans');
  },
};
