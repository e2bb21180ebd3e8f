import { Option } from 'commander';
import { backfillOrders, type Backfilling } from '../../graph/labels.ts';
import type { CommandModule } from '../command-module.ts';
import {
  addCacheOptions,
  addClusterOptions,
  addOutputOption,
  addOverrideOptions,
  choiceOption,
  collect,
  wholeNumber,
} from '../options.ts';
import { addSettingsOptions } from '../settings-options.ts';
import { parseSeconds } from '../terminal/seconds-option.ts';
import type { LaunchOptions } from './launch.ts';
import { completeGroups } from './plans.ts';

/** Options of `backfill`. */
export interface BackfillOptions extends LaunchOptions, Backfilling {
  readonly from?: string;
  readonly to?: string;
  readonly rerunFailed?: boolean;
  readonly yes?: boolean;
}

export const backfillCommand: CommandModule = {
  name: 'backfill',
  group: 'Run and watch',
  summary: "start the runs of a launch plan's schedule for times that have passed",
  configure(command, context) {
    addClusterOptions(command.argument('[plan]', 'name of the launch plan; or give --group'))
      .option('-g, --group <name>', 'for every plan of this group; no run is made before all were checked')
      .option('--from <time>', 'the first time, such as 2026-03-01 or 2026-03-01T06:00; in the zone of the plan')
      .option('--to <time>', 'the time before which the last one lies')
      .option('--concurrency <number>', 'how many runs of a plan go on at once', wholeNumber(1), 1)
      .addOption(choiceOption('--order <order>', 'which time comes first', backfillOrders).default('oldest'))
      .option('--rerun-failed', 'delete runs of these times that failed or were cancelled, and make them again')
      .option('-i, --input <name=value>', "an input, in place of the plan's; may be given several times", collect)
      .option('--input-file <file>', 'YAML or JSON file with inputs by name; --input wins over it')
      .option('--wait', 'show progress until the runs end; exit code 1 unless all succeeded')
      .option('--no-wait', 'end when the runs are made, as is done for a plan whose runs a controller sequences')
      .addOption(
        new Option('--timeout <duration>', 'give up after 90s, 10m, 1h30m; the runs go on').argParser(parseSeconds),
      )
      .option('--dry-run', 'list the runs, let the cluster check one of them, and start nothing')
      .option('-y, --yes', 'do not ask before more than 100 runs are made');
    addOverrideOptions(addCacheOptions(addSettingsOptions(command)));
    addOutputOption(command, ['json', 'yaml', 'name'])
      .addHelpText(
        'after',
        `
A run is made for each time of the plan's schedule from --from on and before --to. It has the name that the schedule would have given it, so that
what exists is left alone, whoever made it: the same command goes on where it was interrupted. Inputs that are the time of a run get that time.

The controller lets so many of them go on at once, in their order, also when this command has ended. Runs of a single task, or of a plan
with a driver, are started by this command itself, each when another has ended; so it waits for them.

With --dry-run, -o yaml and -o json print a List of the runs that are missing, which kubectl create and kubectl apply take.

Examples:
  ${context.program} backfill etl-site-a --from 2026-03-01 --to 2026-04-01 --dry-run
  ${context.program} backfill etl-site-a --from 2026-03-01 --to 2026-04-01 --concurrency 4 --wait
  ${context.program} backfill --group sites --from 2026-03-01T06:00Z --to 2026-03-02T06:00Z --order newest
  ${context.program} backfill etl-site-a --from 2026-03-01 --to 2026-04-01 --dry-run -o yaml | kubectl create -f -
`,
      )
      .action(async (plan: string | undefined, options: BackfillOptions) =>
        (await import('../actions/backfill.ts')).backfill(context, plan, options),
      );
  },
  async complete(request, context) {
    if (request.option !== undefined || request.before.length > 0) return completeGroups(request, context);
    return (await import('../cluster/complete-names.ts')).completeNames(context, 'plans');
  },
};
