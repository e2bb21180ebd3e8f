import type { Command } from 'commander';
import type { CommandModule, CompletionRequest } from '../command-module.ts';
import type { CliContext } from '../context.ts';
import {
  addAllClustersOption,
  addAllNamespacesOption,
  addClusterOptions,
  addOutputOption,
  type ClusterOptions,
  type OutputFormat,
} from '../options.ts';

/** Options of `plans` and `status`. */
export interface PlansOptions extends ClusterOptions {
  readonly group?: string;
  readonly workflow?: string;
  readonly allNamespaces?: boolean;
  readonly allClusters?: boolean;
  readonly output?: OutputFormat;
}

export const plansCommand: CommandModule = {
  name: 'plans',
  group: 'Run and watch',
  summary: 'list launch plans, with their schedules and last runs',
  configure(command, context) {
    addPlansOptions(command)
      .addHelpText('after', `\nExample:\n  ${context.program} plans --group sites\n`)
      .action(async (options: PlansOptions) => (await import('../actions/plans.ts')).plans(context, 'plans', options));
  },
  complete: completeGroups,
};

/** What `plans` and `status` take. */
export function addPlansOptions(command: Command): Command {
  addClusterOptions(command)
    .option('-g, --group <name>', 'only plans of this group')
    .option('--workflow <name>', 'only plans of this workflow');
  return addOutputOption(addAllNamespacesOption(addAllClustersOption(command)));
}

/** Names of groups, for the shell's completion of `--group`. */
export async function completeGroups({ option }: CompletionRequest, context: CliContext) {
  if (option !== '--group' && option !== '-g') return undefined;
  return (await import('../cluster/complete-names.ts')).completeGroups(context);
}
