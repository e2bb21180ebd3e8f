import type { CommandModule } from '../command-module.ts';
import { addClusterOptions, type ClusterOptions } from '../options.ts';

/** Options of `answer`. */
export interface AnswerOptions extends ClusterOptions {
  readonly comment?: string;
}

export const answerCommand: CommandModule = {
  name: 'answer',
  group: 'Run and watch',
  summary: 'give a step of a run the value that it waits for',
  configure(command, context) {
    addClusterOptions(
      command
        .argument('<run>', 'name of the run')
        .argument('<step>', 'name of the step')
        .argument('<value>', 'the value: text as it is where the step wants text, JSON for all else'),
    )
      .option('--comment <text>', 'why; kept with the answer')
      .addHelpText(
        'after',
        `
The value is checked before it is sent, and again where the run is worked on. The API server is asked who you are, and that
name is kept with the answer. The same without this program:
  kubectl annotate job <run> 'cdk8s-workflows.dev/input.<step>={"value": 3}'
`,
      )
      .action(async (run: string, step: string, value: string, options: AnswerOptions) =>
        (await import('../actions/answer.ts')).answer(context, { run, step, value }, options),
      );
  },
  async complete({ before, option }, context) {
    if (option !== undefined || before.length > 1) return undefined;
    const { completeGates, completeNames } = await import('../cluster/complete-names.ts');
    return before.length === 0 ? completeNames(context, 'runs') : completeGates(context, before[0]!, 'input');
  },
};
