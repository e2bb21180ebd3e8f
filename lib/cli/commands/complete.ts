import type { CommandModule } from '../command-module.ts';

/** What the scripts of `completion` call: prints what may come next, a line each, `value<tab>description`. */
export const completeCommand: CommandModule = {
  name: '__complete',
  summary: 'what may come next on a command line',
  configure(command, context) {
    command.argument('[words...]', 'the command line up to the cursor').action(async (words: string[]) => {
      const { candidateLines } = await import('../actions/complete.ts');
      for (const line of await candidateLines(words, context)) context.out.line(line);
    });
  },
};
