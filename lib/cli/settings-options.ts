import type { Command } from 'commander';
import { addRunPolicyOptions, collect, wholeNumber, type RunPolicyOptions } from './options.ts';
import { parseSeconds } from './terminal/seconds-option.ts';

/** What {@link addSettingsOptions} gives to the action: what a launch says of how runs go. */
export interface SettingsOptions extends RunPolicyOptions {
  readonly priority?: number;
  readonly parallelism?: number;
  /** In seconds. */
  readonly runTimeout?: number;
  /** In seconds. */
  readonly ttlAfterFinished?: number;
  readonly serviceAccount?: string;
  readonly env?: readonly string[];
  readonly labels?: readonly string[];
  readonly annotations?: readonly string[];
}

/** What commands take that launch plans, in place of what the plan says. Names are those of `kubectl run` where it has them. */
export function addSettingsOptions(command: Command): Command {
  command
    .option(
      '--priority <number>',
      "goes before runs of lower priority where they wait for the same lock or limit; the plan's, else 0",
      wholeNumber(),
    )
    .option('--parallelism <number>', 'steps that may run at once', wholeNumber(1))
    .option(
      '--run-timeout <duration>',
      'how long a run may take before it fails, such as 90s, 10m or 1h30m',
      parseSeconds,
    )
    .option('--ttl-after-finished <duration>', 'how long a finished run stays, such as 12h or 7d', parseSeconds);
  return addRunPolicyOptions(command)
    .option('--spot', 'send steps that say nothing of it to nodes that may be taken away')
    .option('--no-spot', 'keep all steps off such nodes')
    .option('--service-account <name>', "service account of the steps' pods")
    .option(
      '--env <name=value>',
      "a variable of every step's main container; <name>- removes one; may be given several times",
      collect,
    )
    .option('-l, --labels <key=value,...>', 'labels of the run and its pods; may be given several times', collect)
    .option('--annotations <key=value>', 'an annotation of both; may be given several times', collect);
}
