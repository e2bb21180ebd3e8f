import type { CommandModule } from '../command-module.ts';
import { UsageError } from '../errors.ts';
import {
  addClusterOptions,
  addOutputOption,
  addOverrideOptions,
  addStartOptions,
  collect,
  type ClusterOptions,
  type OverrideOptions,
  type StartOptions,
} from '../options.ts';
import { addSettingsOptions, type SettingsOptions } from '../settings-options.ts';
import { completeGroups } from './plans.ts';

/** Options of `launch`. */
export interface LaunchOptions extends ClusterOptions, OverrideOptions, SettingsOptions, StartOptions {
  readonly group?: string;
  readonly input?: readonly string[];
  readonly inputFile?: string;
  readonly idempotencyKey?: string;
}

export const launchCommand: CommandModule = {
  name: 'launch',
  group: 'Run and watch',
  summary: 'start a run of a launch plan now',
  configure(command, context) {
    addClusterOptions(command.argument('[plan]', 'name of the launch plan; or give --group'))
      .option('-g, --group <name>', 'start a run of every plan of this group; none before all were checked')
      .option('-i, --input <name=value>', "an input, in place of the plan's; may be given several times", collect)
      .option('--input-file <file>', 'YAML or JSON file with inputs by name; --input wins over it');
    addSettingsOptions(command);
    addStartOptions(command, 'name of the run; <plan>-<5 random> when left out').option(
      '--idempotency-key <key>',
      'launches of a plan with one key are one run, which has its name from it',
    );
    addOverrideOptions(command);
    addOutputOption(command, ['json', 'yaml', 'name'])
      .addHelpText(
        'after',
        `
The plan may be suspended; only its schedule is. The run counts towards the plan's history limits, as one that its schedule started. A run of a single task is a plain Job: there --input replaces the value of the
task's environment variable INPUT_<NAME>, and cannot be checked against a schema.

With --cluster the run goes to that cluster, wherever the plan is active: as the plan is there, active or as a backup, else as it was
synthesized. The graph of its workflow must have been applied there.

Pods are changed as a plan's podTemplate changes them, and nothing goes past the cluster's policy. The file is part of a pod template, for every
step; under steps.<step> it has what is for one step alone, which wins. A --set names an item of a list in brackets, so too a name with dots; what the
text means is decided by the field's type, and null removes.

Examples:
  ${context.program} launch etl-site-a
  ${context.program} launch etl-site-a --input day=2026-03-01 --watch
  ${context.program} launch --group sites --input day=2026-03-01
  ${context.program} launch etl-site-a --set train.spec.nodeSelector.gpu=a100 --set '*.spec.containers[main].resources.limits.memory=64Gi'
  ${context.program} launch etl-site-a --env LEVEL=debug --labels ticket=OPS-7 --run-timeout 2h
  ${context.program} launch etl-site-a --idempotency-key "$CI_JOB_ID" --wait
  ${context.program} launch etl-site-a --cluster gpu-eu
  kubectl create job --from=cronjob/etl-site-a now      the same with kubectl, with the plan's inputs
`,
      )
      .action(async (plan: string | undefined, options: LaunchOptions) => {
        const { launch, launchGroup } = await import('../actions/launch.ts');
        if ((plan === undefined) === (options.group === undefined))
          throw new UsageError('name a launch plan, or give --group');
        await (plan === undefined ? launchGroup(context, options.group!, options) : launch(context, plan, options));
      });
  },
  async complete(request, context) {
    if (request.option !== undefined || request.before.length > 0) return completeGroups(request, context);
    return (await import('../cluster/complete-names.ts')).completeNames(context, 'plans');
  },
};
