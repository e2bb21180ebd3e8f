import type { CommandModule } from '../command-module.ts';
import { addOutputOption } from '../options.ts';

/** Options of `compare`. */
export interface CompareOptions {
  readonly cluster?: string;
  readonly plan?: string;
  readonly output?: 'json';
}

export const compareCommand: CommandModule = {
  name: 'compare',
  group: 'Write workflows',
  summary: 'compare the pod templates of two steps',
  configure(command, context) {
    command
      .argument('<workflow/step>', 'the step to begin from')
      .argument('<other-workflow/step>', 'the step that it is compared with')
      .argument('[app]', 'directory with cdk8s.yaml, or the main file of an app', '.')
      .option('--cluster <name>', 'as they are on this cluster; the first that has the workflow, when left out')
      .option('--plan <name>', 'as this launch plan changes them');
    addOutputOption(command, ['json'])
      .addHelpText(
        'after',
        `
Only fields that differ are shown, each with the layer that set it and the line of code that the layer was written at.

Examples:
  ${context.program} compare train-small/train train-large/train apps/gpu-training
`,
      )
      .action(async (from: string, to: string, app: string, options: CompareOptions) =>
        (await import('../actions/compare.ts')).compare(context, { from, to, app }, options),
      );
  },
  async complete(request, context) {
    return (await import('../app/complete-steps.ts')).completeSteps(request, context, 2);
  },
};
