import type { CommandModule } from '../command-module.ts';
import {
  addAllClustersOption,
  addAllNamespacesOption,
  addClusterOptions,
  addOutputOption,
  choiceOption,
  type ClusterOptions,
  type OutputFormat,
} from '../options.ts';
import { completeGroups } from './plans.ts';
import { listedPhases, type ListedPhase } from '../cluster/runs/runs-view.ts';

/** Options of `runs`. */
export interface RunsOptions extends ClusterOptions {
  readonly plan?: string;
  readonly group?: string;
  readonly workflow?: string;
  readonly phase?: ListedPhase;
  readonly allNamespaces?: boolean;
  readonly allClusters?: boolean;
  /** Runs that are steps of others, too. */
  readonly children?: boolean;
  readonly watch?: boolean;
  readonly output?: OutputFormat;
}

export const runsCommand: CommandModule = {
  name: 'runs',
  group: 'Run and watch',
  summary: 'list runs, newest first',
  configure(command, context) {
    addClusterOptions(command)
      .option('-p, --plan <name>', 'only runs of this launch plan')
      .option('-g, --group <name>', 'only runs of plans of this group')
      .option('--workflow <name>', 'only runs of this workflow')
      .addOption(choiceOption('--phase <phase>', 'only runs in this phase', listedPhases))
      .option('--children', 'also runs that are steps of others')
      .option('-w, --watch', 'go on showing them as they change');
    addAllNamespacesOption(addAllClustersOption(command));
    addOutputOption(command)
      .addHelpText(
        'after',
        `\nExamples:\n  ${context.program} runs --plan etl-site-a --phase Failed\n  ${context.program} runs --all-clusters --watch\n`,
      )
      .action(async (options: RunsOptions) => (await import('../actions/runs.ts')).runs(context, options));
  },
  async complete(request, context) {
    const { option } = request;
    if (option !== '--plan' && option !== '-p') return completeGroups(request, context);
    return (await import('../cluster/complete-names.ts')).completeNames(context, 'plans');
  },
};
