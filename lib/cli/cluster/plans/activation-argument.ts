import type { Command } from 'commander';
import type { CompletionRequest } from '../../command-module.ts';
import { completeGroups } from '../../commands/plans.ts';
import type { CliContext } from '../../context.ts';
import { addClusterOptions, type ClusterOptions } from '../../options.ts';

/** Options of `activate` and `deactivate`. */
export interface ActivationOptions extends ClusterOptions {
  readonly group?: string;
}

/** What `activate` and `deactivate` take. */
export function addActivation(command: Command, { program }: CliContext): Command {
  return addClusterOptions(command.argument('[plan]', 'name of the launch plan; or give --group'))
    .option('-g, --group <name>', 'every plan of this group')
    .addHelpText(
      'after',
      `
What is done by hand holds: apply keeps it, and says so, until it is told to take it back by --force-conflicts. A plan that is not
active can still be launched, and its runs go on.

Examples:
  ${program} ${command.name()} etl-site-a
  ${program} ${command.name()} --group sites
`,
    );
}

/** Names of plans and groups, for the shell's completion. */
export async function completeActivation(request: CompletionRequest, context: CliContext) {
  if (request.option !== undefined || request.before.length > 0) return completeGroups(request, context);
  return (await import('../complete-names.ts')).completeNames(context, 'plans');
}
