import type { CommandModule } from '../command-module.ts';
import { addKubeconfigOptions, addOutputOption, type KubeconfigOptions } from '../options.ts';

/** Options of `apply`. */
export interface ApplyCommandOptions extends KubeconfigOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly forceConflicts?: boolean;
  readonly output?: 'json';
}

export const applyCommand: CommandModule = {
  name: 'apply',
  group: 'Run and watch',
  summary: 'write synthesized manifests to their clusters',
  configure(command, context) {
    addKubeconfigOptions(
      command.argument('[directory|cluster]', 'all clusters of the fleet, or the whole output, when left out'),
    )
      .option('--dry-run', 'let the cluster check everything and write nothing')
      .option('-y, --yes', 'do not ask before writing')
      .option('--force-conflicts', 'take over fields that another tool or person set');
    addOutputOption(command, ['json'])
      .addHelpText(
        'after',
        `
Objects are written by server-side apply with the field manager "cdk8s-workflows", in the order in which they need each other.
A field that somebody else set to another value is a conflict and is reported, not overwritten. Objects that name no namespace
go to --namespace, else to the namespace in placement.json, else to the context's. Nothing is ever deleted: remove what is no
longer wanted with kubectl. Applying again finishes what was interrupted.

Examples:
  ${context.program} apply                    every cluster of the fleet
  ${context.program} apply test --dry-run     only the cluster "test", without writing
  ${context.program} apply dist --yes -n etl  a directory, without asking
`,
      )
      .action(async (argument: string | undefined, options: ApplyCommandOptions) =>
        (await import('../actions/apply.ts')).apply(context, argument, options),
      );
  },
  async complete({ before, option }, context) {
    if (before.length > 0 || option !== undefined) return undefined;
    return (await import('../cluster/read-placement.ts')).clusterNames(context.cwd);
  },
};
