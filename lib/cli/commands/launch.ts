import type { CommandModule } from '../command-module.ts';
import {
  addClusterOptions,
  addOutputOption,
  addOverrideOptions,
  collect,
  type ClusterOptions,
  type OverrideOptions,
} from '../options.ts';
import { parseSeconds } from '../terminal/seconds-option.ts';

/** Options of `launch`. */
export interface LaunchOptions extends ClusterOptions, OverrideOptions {
  readonly input?: readonly string[];
  readonly inputFile?: string;
  readonly name?: string;
  readonly watch?: boolean;
  readonly wait?: boolean;
  /** In seconds. */
  readonly timeout?: number;
  readonly dryRun?: boolean;
  readonly output?: 'json' | 'name' | 'yaml';
}

export const launchCommand: CommandModule = {
  name: 'launch',
  group: 'Run and watch',
  summary: 'start a run of a launch plan now',
  configure(command, context) {
    addClusterOptions(command.argument('<plan>', 'name of the launch plan'))
      .option('-i, --input <name=value>', "an input, in place of the plan's; may be given several times", collect)
      .option('--input-file <file>', 'YAML or JSON file with inputs by name; --input wins over it')
      .option('--name <name>', 'name of the run; <plan>-<5 random> when left out')
      .option('-w, --watch', 'show progress until the run ends; exit code 1 unless it succeeded')
      .option('--wait', 'the same without the progress')
      .option(
        '--timeout <duration>',
        'with --watch or --wait: give up after 90s, 10m, 1h30m; the run goes on',
        parseSeconds,
      )
      .option('--dry-run', 'let the cluster check the run and start nothing');
    addOverrideOptions(command);
    addOutputOption(command, ['json', 'yaml', 'name'])
      .addHelpText(
        'after',
        `
The plan may be suspended; only its schedule is. The run counts towards the plan's history limits, as one that its schedule started. A run of a single task is a plain Job: there --input replaces the value of the
task's environment variable INPUT_<NAME>, and cannot be checked against a schema.

Pods are changed as a plan's podTemplate changes them, and nothing goes past the cluster's policy. The file is part of a pod template, for every
step; under steps.<step> it has what is for one step alone, which wins. A --set names an item of a list in brackets, so too a name with dots; what the
text means is decided by the field's type, and null removes.

Examples:
  ${context.program} launch etl-site-a
  ${context.program} launch etl-site-a --input day=2026-03-01 --watch
  ${context.program} launch etl-site-a --set train.spec.nodeSelector.gpu=a100 --set '*.spec.containers[main].resources.limits.memory=64Gi'
  kubectl create job --from=cronjob/etl-site-a now      the same with kubectl, with the plan's inputs
`,
      )
      .action(async (plan: string, options: LaunchOptions) =>
        (await import('../actions/launch.ts')).launch(context, plan, options),
      );
  },
  async complete({ before, option }, context) {
    if (option !== undefined || before.length > 0) return undefined;
    return (await import('../cluster/complete-names.ts')).completeNames(context, 'plans');
  },
};
