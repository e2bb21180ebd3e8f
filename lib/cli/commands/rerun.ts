import type { CommandModule } from '../command-module.ts';
import {
  addClusterOptions,
  addOutputOption,
  addStartOptions,
  collect,
  type ClusterOptions,
  type StartOptions,
} from '../options.ts';
import { parseSeconds } from '../terminal/seconds-option.ts';

/** Options of `rerun`. */
export interface RerunOptions extends ClusterOptions, StartOptions {
  readonly step?: readonly string[];
  readonly all?: boolean;
  /** In seconds. */
  readonly runTimeout?: number;
}

export const rerunCommand: CommandModule = {
  name: 'rerun',
  group: 'Run and watch',
  summary: 'start a run that goes on from one that is over',
  configure(command, context) {
    addClusterOptions(command.argument('<run>', 'name of the run that is over'))
      .option('--step <step>', 'run this step again although it succeeded; may be given several times', collect)
      .option('--all', 'take over nothing: run all steps again')
      .option(
        '--run-timeout <duration>',
        'how long it may take before it fails; as long as the old one when left out',
        parseSeconds,
      );
    addStartOptions(command, 'name of the new run; <run>-r1, -r2 and so on when left out');
    addOutputOption(command, ['json', 'yaml', 'name'])
      .addHelpText(
        'after',
        `
The new run has the inputs and settings of the old one and takes over the steps that succeeded there, with their outputs. It runs those
that did not, those named by --step, all that comes after them, and the steps for the end of a run. While it goes on, the
same request finds it and starts no second one.

Examples:
  ${context.program} rerun etl-site-a-x7k2p --watch           from what failed
  ${context.program} rerun etl-site-a-x7k2p --step transform  transform and what comes after it
`,
      )
      .action(async (run: string, options: RerunOptions) =>
        (await import('../actions/rerun.ts')).rerun(context, run, options),
      );
  },
  async complete({ before, option }, context) {
    const { completeNames, completeSteps } = await import('../cluster/complete-names.ts');
    if (option === '--step' && before[0] !== undefined) return completeSteps(context, before[0]);
    if (option !== undefined || before.length > 0) return undefined;
    return completeNames(context, 'runs');
  },
};
