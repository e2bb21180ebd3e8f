import type { CommandModule } from '../command-module.ts';
import { addClusterOptions, type ClusterOptions } from '../options.ts';

/** Options of `approve`. */
export interface ApproveOptions extends ClusterOptions {
  readonly deny?: boolean;
  readonly comment?: string;
}

export const approveCommand: CommandModule = {
  name: 'approve',
  group: 'Run and watch',
  summary: 'approve a step of a run that waits for it, or deny it',
  configure(command, context) {
    addClusterOptions(command.argument('<run>', 'name of the run').argument('<step>', 'name of the step'))
      .option('--deny', 'deny it: the step fails')
      .option('--comment <text>', 'why; kept with the answer')
      .addHelpText(
        'after',
        `
The API server is asked who you are, and that name is kept with the answer. A step that does not wait yet takes the
answer when it comes to it. The same without this program:
  kubectl annotate job <run> cdk8s-workflows.dev/approve.<step>=true
`,
      )
      .action(async (run: string, step: string, options: ApproveOptions) =>
        (await import('../actions/answer.ts')).approve(context, { run, step }, options),
      );
  },
  async complete({ before, option }, context) {
    if (option !== undefined || before.length > 1) return undefined;
    const { completeGates, completeNames } = await import('../cluster/complete-names.ts');
    return before.length === 0 ? completeNames(context, 'runs') : completeGates(context, before[0]!, 'approval');
  },
};
