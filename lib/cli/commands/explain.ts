import type { CommandModule } from '../command-module.ts';
import { addOutputOption, addOverrideOptions, type OverrideOptions } from '../options.ts';

/** Options of `explain`. */
export interface ExplainOptions extends OverrideOptions {
  readonly field?: string;
  readonly cluster?: string;
  readonly plan?: string;
  readonly output?: 'json';
}

export const explainCommand: CommandModule = {
  name: 'explain',
  group: 'Write workflows',
  summary: "show a step's pod template, or a single task's, and who set each field where",
  configure(command, context) {
    command
      .argument('<pod>', '<workflow>/<step>, or the plan, Job or Pod of a single task')
      .argument('[app]', 'directory with cdk8s.yaml, or the main file of an app', '.')
      .option('--field <path>', 'only this field and what is below it, such as spec.nodeSelector')
      .option('--cluster <name>', 'as it is on this cluster; the first that has the workflow, when left out')
      .option('--plan <name>', 'as this launch plan changes it');
    addOverrideOptions(command);
    addOutputOption(command, ['json'])
      .addHelpText(
        'after',
        `
Beside each field stands the layer that set it, the line of code that the layer was written at, and what was there
before. Layers, low to high: base, cluster defaults, task, step override, plan override, run override, cluster policy.
--override and --set show what a launch with them would make of it, and whether it may.

Examples:
  ${context.program} explain train-large/train apps/gpu-training
  ${context.program} explain train-large/train apps/gpu-training --field spec.containers.main.resources
  ${context.program} explain train-large/train apps/gpu-training --set train.spec.nodeSelector.gpu=h100
  ${context.program} explain train-weekly apps/gpu-training
`,
      )
      .action(async (pod: string, app: string, options: ExplainOptions) =>
        (await import('../actions/explain.ts')).explain(context, { pod, app }, options),
      );
  },
  async complete(request, context) {
    return (await import('../app/complete-steps.ts')).completeSteps(request, context, 1);
  },
};
