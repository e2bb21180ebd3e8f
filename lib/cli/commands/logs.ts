import type { CommandModule } from '../command-module.ts';
import { addClusterOptions, wholeNumber, type ClusterOptions } from '../options.ts';
import { parseSeconds } from '../terminal/seconds-option.ts';

/** Options of `logs`. */
export interface LogsOptions extends ClusterOptions {
  readonly follow?: boolean;
  readonly attempt?: number;
  readonly allAttempts?: boolean;
  readonly tail?: number;
  /** In seconds. */
  readonly since?: number;
  readonly timestamps?: boolean;
}

export const logsCommand: CommandModule = {
  name: 'logs',
  group: 'Run and watch',
  summary: "show the logs of a run's steps",
  configure(command, context) {
    addClusterOptions(
      command.argument('<run>', 'name of the run').argument('[step]', 'only this step; all when left out'),
    )
      .option('-f, --follow', 'go on until the run is over, with the steps that start meanwhile')
      .option('--attempt <n>', "this attempt; each step's last when left out", wholeNumber(1))
      .option('--all-attempts', 'all attempts')
      .option('--tail <n>', 'only the last lines of each log', wholeNumber(0))
      .option('--since <duration>', 'only what is younger than 90s, 10m, 1h30m', parseSeconds)
      .option('--timestamps', 'show when each line was written')
      .addHelpText(
        'after',
        `\nExamples:\n  ${context.program} logs etl-site-a-x7k2p -f\n  ${context.program} logs etl-site-a-x7k2p transform --attempt 1\n`,
      )
      .action(async (run: string, step: string | undefined, options: LogsOptions) =>
        (await import('../actions/logs.ts')).logs(context, run, step, options),
      );
  },
  async complete({ before, option }, context) {
    if (option !== undefined || before.length > 1) return undefined;
    const { completeNames, completeSteps } = await import('../cluster/complete-names.ts');
    return before[0] === undefined ? completeNames(context, 'runs') : completeSteps(context, before[0]);
  },
};
