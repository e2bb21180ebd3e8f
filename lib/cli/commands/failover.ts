import type { CommandModule } from '../command-module.ts';
import { addOutputOption, collect } from '../options.ts';

/** Options of `failover` and `failback`. */
export interface FailoverOptions {
  readonly kubeconfig?: string;
  readonly plan?: readonly string[];
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly output?: 'json';
}

export const failoverCommand: CommandModule = {
  name: 'failover',
  group: 'Operate',
  summary: 'switch the plans of a cluster to a backup',
  configure(command, context) {
    command
      .argument('<cluster>', 'the cluster that is lost, or to be')
      .requiredOption('--to <backup>', 'the cluster that takes over the plans that name it among their backups');
    addSwitchOptions(command)
      .addHelpText(
        'after',
        `
Each plan is suspended where it belongs, then activated on the backup, which goes on after the last time that it was started: no
time is run twice. Runs that go on are left alone. Both CronJobs keep a note of it (annotation cdk8s-workflows.dev/failover), and
"apply" does not undo it. A plan that somebody suspended stays as it is.

A cluster that cannot be reached may go on to start its plans. They are switched then only with --force; run the command again as
soon as the cluster is back, to suspend them there.

Examples:
  ${context.program} failover prod-eu --to prod-us --dry-run
  ${context.program} failover prod-eu --to prod-us --plan etl-site-a
  ${context.program} failback prod-eu
`,
      )
      .action(async (cluster: string, options: FailoverOptions & { readonly to: string }) =>
        (await import('../actions/failover.ts')).failover(context, cluster, options),
      );
  },
  async complete({ before, option }, context) {
    if (option === '--plan' || option === '-p')
      return (await import('../cluster/read-placement.ts')).planKeys(context.cwd);
    if (option !== '--to' && (option !== undefined || before.length > 0)) return undefined;
    return (await import('../cluster/read-placement.ts')).clusterNames(context.cwd);
  },
};

export const failbackCommand: CommandModule = {
  name: 'failback',
  group: 'Operate',
  summary: 'switch the plans of a cluster back from their backups',
  configure(command, context) {
    command.argument('<cluster>', 'the cluster that the plans belong on');
    addSwitchOptions(command)
      .addHelpText(
        'after',
        `
Undoes "failover" by what it noted on the CronJobs: each plan is suspended on its backup, then activated where it belongs, which
goes on after the last time that the backup was started. --force goes on without a backup that cannot be reached.
`,
      )
      .action(async (cluster: string, options: FailoverOptions) =>
        (await import('../actions/failover.ts')).failback(context, cluster, options),
      );
  },
  complete: failoverCommand.complete!,
};

function addSwitchOptions(command: Parameters<CommandModule['configure']>[0]) {
  command
    .option('--kubeconfig <file>', 'kubeconfig to use in place of KUBECONFIG and ~/.kube/config')
    .option('-p, --plan <name>', 'only this plan; may be given several times', collect)
    .option('--force', 'go on although a cluster that cannot be reached may start the plans, too')
    .option('--dry-run', 'let the clusters check everything and write nothing')
    .option('-y, --yes', 'do not ask before writing');
  return addOutputOption(command, ['json']);
}
