import type { CommandModule } from '../command-module.ts';
import { addOutputOption } from '../options.ts';

/** Options of `explain`. */
export interface ExplainOptions {
  readonly field?: string;
  readonly cluster?: string;
  readonly plan?: string;
  readonly output?: 'json';
}

export const explainCommand: CommandModule = {
  name: 'explain',
  group: 'Write workflows',
  summary: "show a step's pod template, and who set each field where",
  configure(command, context) {
    command
      .argument('<workflow/step>', 'the step')
      .argument('[app]', 'directory with cdk8s.yaml, or the main file of an app', '.')
      .option('--field <path>', 'only this field and what is below it, such as spec.nodeSelector')
      .option('--cluster <name>', 'as it is on this cluster; the first that has the workflow, when left out')
      .option('--plan <name>', 'as this launch plan changes it');
    addOutputOption(command, ['json'])
      .addHelpText(
        'after',
        `
Beside each field stands the layer that set it, the line of code that the layer was written at, and what was there
before. Layers, low to high: base, cluster defaults, task, step override, plan override, cluster policy.

Examples:
  ${context.program} explain train-large/train apps/gpu-training
  ${context.program} explain train-large/train apps/gpu-training --field spec.containers.main.resources
`,
      )
      .action(async (step: string, app: string, options: ExplainOptions) =>
        (await import('../actions/explain.ts')).explain(context, { step, app }, options),
      );
  },
  async complete(request, context) {
    return (await import('../app/complete-steps.ts')).completeSteps(request, context, 1);
  },
};
