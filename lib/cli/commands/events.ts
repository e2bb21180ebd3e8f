import { InvalidArgumentError } from 'commander';
import { suggest } from '../../values/problems.ts';
import type { CommandModule } from '../command-module.ts';
import {
  addAllClustersOption,
  addAllNamespacesOption,
  addClusterOptions,
  addOutputOption,
  type ClusterOptions,
} from '../options.ts';

/** Options of `events`. */
export interface EventsOptions extends ClusterOptions {
  readonly for?: string;
  readonly types?: readonly string[];
  readonly allNamespaces?: boolean;
  readonly allClusters?: boolean;
  readonly watch?: boolean;
  readonly output?: 'json';
}

export const eventsCommand: CommandModule = {
  name: 'events',
  group: 'Run and watch',
  summary: 'show what happened to plans, runs and their steps, newest last',
  configure(command, context) {
    addClusterOptions(command)
      .option('--for <name>', 'only about this run or plan and its steps: <name>, run/<name> or plan/<name>')
      .option('--types <types>', 'only events of these types, with commas between: Normal, Warning', typesOf)
      .option('-w, --watch', 'go on showing them as they come');
    addAllNamespacesOption(addAllClustersOption(command));
    addOutputOption(command, ['json'])
      .addHelpText(
        'after',
        `
Kubernetes keeps events for an hour, unless the cluster is told otherwise.

Examples:
  ${context.program} events --for run/etl-site-a-29384720
  ${context.program} events --all-clusters --types Warning --watch
`,
      )
      .action(async (options: EventsOptions) => (await import('../actions/events.ts')).events(context, options));
  },
  async complete({ option }, context) {
    if (option !== '--for') return undefined;
    const { completeNames } = await import('../cluster/complete-names.ts');
    const names = await Promise.all([completeNames(context, 'runs'), completeNames(context, 'plans')]);
    return names.flat();
  },
};

const eventTypes = ['Normal', 'Warning'];

function typesOf(text: string): readonly string[] {
  return text.split(',').map((written) => {
    const type = eventTypes.find((known) => known.toLowerCase() === written.trim().toLowerCase());
    if (type === undefined) throw new InvalidArgumentError(suggest(written, eventTypes) ?? 'known are Normal, Warning');
    return type;
  });
}
