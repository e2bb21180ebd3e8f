import { InvalidArgumentError, Option } from 'commander';
import { completeActivation, type ActivationOptions } from '../cluster/plans/activation-argument.ts';
import type { CommandModule } from '../command-module.ts';
import { addClusterOptions } from '../options.ts';
import { parseSeconds } from '../terminal/seconds-option.ts';

/** Options of `pause`. */
export interface PauseOptions extends ActivationOptions {
  /** Milliseconds since the epoch. */
  readonly until?: number;
  /** Seconds. */
  readonly for?: number;
}

export const pauseCommand: CommandModule = {
  name: 'pause',
  group: 'Run and watch',
  summary: 'let a launch plan, or every plan of a group, start no runs by its schedule for a while',
  configure(command, context) {
    addClusterOptions(command.argument('[plan]', 'name of the launch plan; or give --group'))
      .option('-g, --group <name>', 'every plan of this group')
      .addOption(
        new Option('--until <time>', 'when it goes on, such as 2026-03-01T06:00+01:00')
          .argParser(parseTime)
          .conflicts('for'),
      )
      .option('--for <duration>', 'how long from now, such as 90m, 2h or 1d12h', parseSeconds)
      .addHelpText(
        'after',
        `
What is scheduled meanwhile is skipped, and not made up for. Runs go on, and the plan can be launched. A pause ends by itself, or by
"${context.program} activate" or "resume". apply keeps it, and says so, until it is told to take it back by --force-conflicts.

Examples:
  ${context.program} pause etl-site-a --for 2h
  ${context.program} pause --group sites --until 2026-03-01T06:00Z
`,
      )
      .action(async (plan: string | undefined, options: PauseOptions) =>
        (await import('../actions/pause.ts')).pausePlans(context, plan, options),
      );
  },
  complete: completeActivation,
};

function parseTime(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new InvalidArgumentError('must be a time such as 2026-03-01T06:00Z');
  return time;
}
