import { InvalidArgumentError } from 'commander';
import type { CommandModule } from '../command-module.ts';
import { addClusterOptions, addOutputOption, wholeNumber, type ClusterOptions } from '../options.ts';

/** Options of `schedule`. */
export interface ScheduleOptions extends ClusterOptions {
  readonly next: number;
  /** Milliseconds since the epoch. */
  readonly after?: number;
  readonly timeZone?: string;
  readonly output?: 'json' | 'yaml';
}

export const scheduleCommand: CommandModule = {
  name: 'schedule',
  group: 'Run and watch',
  summary: 'show when a launch plan or a cron expression fires next',
  configure(command, context) {
    command
      .argument('<plan|expression>', 'name of a launch plan, or a cron expression in quotes')
      .argument(
        '[app]',
        "where the plan is looked for: an app's directory or main file, or a directory of manifests; the cluster, when left out",
      )
      .option('--next <number>', 'how many times', wholeNumber(1), 10)
      .option('--after <time>', 'the times after this one, such as 2026-03-28T12:00Z; now, when left out', parseTime)
      .option('--time-zone <name>', "read it in this zone, such as Europe/Berlin; the plan's, when left out");
    addClusterOptions(command);
    addOutputOption(command, ['json', 'yaml'])
      .addHelpText(
        'after',
        `
Times are those of Kubernetes' own cron parser: one that the clocks pass over in spring is left out, one that they show twice in autumn comes twice.
Nothing that lies more than five years ahead is found.

Examples:
  ${context.program} schedule etl-site-a
  ${context.program} schedule etl-site-a apps/site-etl --next 3
  ${context.program} schedule '30 2 * * *' --time-zone Europe/Berlin --after 2026-03-28T12:00Z
`,
      )
      .action(async (subject: string, app: string | undefined, options: ScheduleOptions) =>
        (await import('../actions/schedule.ts')).schedule(context, { subject, app }, options),
      );
  },
  async complete({ before, option }, context) {
    if (option !== undefined || before.length > 1) return [];
    if (before.length === 1) return undefined;
    return (await import('../cluster/complete-names.ts')).completeNames(context, 'plans');
  },
};

function parseTime(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new InvalidArgumentError('must be a time such as 2026-03-28T12:00Z');
  return time;
}
