import type { CommandModule } from '../command-module.ts';
import { completeActivation } from '../cluster/plans/activation-argument.ts';
import { addClusterOptions, type ClusterOptions } from '../options.ts';

/** Options of `promote`. */
export interface PromoteOptions extends ClusterOptions {
  readonly group?: string;
  readonly dryRun?: boolean;
}

export const promoteCommand: CommandModule = {
  name: 'promote',
  group: 'Operate',
  summary: 'let a launch plan, or every plan of a group, that is held go to the version that was applied last',
  configure(command, context) {
    addClusterOptions(command.argument('[plan]', 'name of the launch plan; or give --group'))
      .option('-g, --group <name>', 'every plan of this group; none before all were checked')
      .option('--dry-run', 'let the cluster check it and change nothing')
      .addHelpText(
        'after',
        `
Plans are held by "${context.program} apply --canary 10%", all but a share of their group, and by "${context.program} rollback". Runs that there are
keep their version.

Examples:
  ${context.program} apply --canary 10%          a tenth of each group is on the new version
  ${context.program} status --group sites        how their runs went
  ${context.program} promote --group sites       the others follow
  ${context.program} rollback --group sites      or all go back
`,
      )
      .action(async (plan: string | undefined, options: PromoteOptions) =>
        (await import('../actions/promote.ts')).promote(context, plan, options),
      );
  },
  complete: completeActivation,
};
