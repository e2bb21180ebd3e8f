import type { CommandModule } from '../command-module.ts';
import {
  addAllNamespacesOption,
  addClusterOptions,
  addOutputOption,
  wholeNumber,
  type ClusterOptions,
} from '../options.ts';

/** Options of `gc`. */
export interface GcOptions extends ClusterOptions {
  readonly keep?: number;
  readonly allNamespaces?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly output?: 'json';
}

export const gcCommand: CommandModule = {
  name: 'gc',
  group: 'Operate',
  summary: 'delete old versions of workflows that nothing uses',
  configure(command, context) {
    addAllNamespacesOption(addClusterOptions(command))
      .option(
        '--keep <number>',
        'how many versions of each workflow to keep; as the workflows say it when left out',
        wholeNumber(0),
      )
      .option('--dry-run', 'show what would be deleted and delete nothing')
      .option('-y, --yes', 'do not ask before deleting');
    addOutputOption(command, ['json'])
      .addHelpText(
        'after',
        `
A version that a launch plan or a run names is kept however old it is, and so is what such a version needs, and all that is
younger than an hour. The controller does the same once an hour.
`,
      )
      .action(async (options: GcOptions) => (await import('../actions/gc.ts')).gc(context, options));
  },
};
