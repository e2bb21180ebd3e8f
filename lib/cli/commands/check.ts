import { checkNames, type CheckName } from '../../fleet/preflight/check-result.ts';
import type { CommandModule } from '../command-module.ts';
import { addKubeconfigOptions, addOutputOption, choicesOption, type KubeconfigOptions } from '../options.ts';

/** Options of `check`. */
export interface CheckOptions extends KubeconfigOptions {
  readonly skip?: readonly CheckName[];
  readonly strict?: boolean;
  readonly output?: 'json';
}

export const checkCommand: CommandModule = {
  name: 'check',
  group: 'Run and watch',
  summary: 'look at clusters before anything is written to them',
  configure(command, context) {
    addKubeconfigOptions(
      command.argument('[directory|cluster]', 'all clusters of the fleet, or the whole output, when left out'),
    )
      .addOption(choicesOption('--skip <check>', 'leave a check out; may be given several times', checkNames.slice(1)))
      .option('--strict', 'let warnings count as failures');
    addOutputOption(command, ['json'])
      .addHelpText(
        'after',
        `
Looks at what synth wrote, and at every cluster that it is for, all at the same time:

  reachable    the API server answers and is ready
  version      it can run what the manifests ask for
  identity     which cluster it is (the UID of kube-system), and as whom; no two names lead to one cluster
  controller   one that knows these manifests looks after the runs' namespaces
  permissions  everything that apply does is allowed
  namespaces   those that the manifests do not bring exist
  quota        what is left of quotas, against what the plans that are not suspended may ask at once: one run of
               each, and in it as many of its largest steps as its parallelism lets run
  nodes        some node could hold each step's pod, were it empty
  admission    the server would take every object (a dry run)

Nothing is written. A cluster that cannot be reached is a failed check and does not stop the others.
Exit codes: 0 all is well, 1 a check failed, 2 nothing could be checked.

Examples:
  ${context.program} check                         every cluster of the fleet
  ${context.program} check prod --skip nodes       where an autoscaler adds nodes when they are needed
`,
      )
      .action(async (argument: string | undefined, options: CheckOptions) =>
        (await import('../actions/check.ts')).check(context, argument, options),
      );
  },
  async complete({ before, option }, context) {
    if (before.length > 0 || option !== undefined) return undefined;
    return (await import('../cluster/read-placement.ts')).clusterNames(context.cwd);
  },
};
