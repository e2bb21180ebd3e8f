import type { CommandModule } from '../command-module.ts';
import { choiceArgument } from '../options.ts';

/** The shells that completion is written for. */
export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

export const completionCommand: CommandModule = {
  name: 'completion',
  group: 'Operate',
  summary: 'print a script that completes commands, options and names in your shell',
  configure(command, context) {
    command
      .addArgument(choiceArgument('<shell>', 'the shell that you use', shells))
      .addHelpText('after', `\nExample:\n  source <(${context.program} completion bash)\n`)
      .action(async (shell: Shell) => {
        const { completionScript } = await import('../actions/completion.ts');
        context.out.write(completionScript(shell));
      });
  },
};
