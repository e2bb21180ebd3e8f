import type { CommandModule } from '../command-module.ts';
import { addClusterOptions, choiceOption, type ClusterOptions } from '../options.ts';
import { parseSeconds } from '../terminal/seconds-option.ts';
import { cancelModes, type CancelMode } from '../../graph/labels.ts';

/** Options of `cancel`. */
export interface CancelOptions extends ClusterOptions {
  readonly mode: CancelMode;
  readonly wait?: boolean;
  /** In seconds. */
  readonly timeout?: number;
}

export const cancelCommand: CommandModule = {
  name: 'cancel',
  group: 'Run and watch',
  summary: 'stop a run and keep its record',
  configure(command, context) {
    addClusterOptions(command.argument('<run>', 'name of the run'))
      .addOption(choiceOption('--mode <mode>', 'how to stop', cancelModes).default('Now'))
      .option('--wait', 'wait until the run is over')
      .option('--timeout <duration>', 'with --wait: give up after 90s, 10m, 1h30m', parseSeconds)
      .addHelpText(
        'after',
        `
Modes: Now stops all steps. RunFinally stops all steps, then runs the finally steps. Drain lets running steps end, then runs the
finally steps. A cancellation can be made stricter, not milder. To forget a run altogether: kubectl delete job <run>
`,
      )
      .action(async (run: string, options: CancelOptions) =>
        (await import('../actions/cancel.ts')).cancel(context, run, options),
      );
  },
  async complete({ before, option }, context) {
    if (option !== undefined || before.length > 0) return undefined;
    return (await import('../cluster/complete-names.ts')).completeNames(context, 'runs');
  },
};
