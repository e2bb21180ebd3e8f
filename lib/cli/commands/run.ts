import type { CommandModule } from '../command-module.ts';
import {
  addCacheOptions,
  addOutputOption,
  addOverrideOptions,
  addRunPolicyOptions,
  collect,
  wholeNumber,
  type CacheOptions,
  type OverrideOptions,
  type RunPolicyOptions,
} from '../options.ts';

/** Options of `run`. */
export interface RunOptions extends CacheOptions, OverrideOptions, RunPolicyOptions {
  readonly local?: boolean;
  readonly input?: readonly string[];
  readonly inputFile?: string;
  readonly plan?: string;
  readonly cluster?: string;
  readonly parallelism?: number;
  readonly run?: string;
  /** `true`: the newest run that did not finish. */
  readonly resume?: string | true;
  readonly approve?: readonly string[];
  readonly answer?: readonly string[];
  readonly logs?: boolean;
  readonly output?: 'json';
}

export const runCommand: CommandModule = {
  name: 'run',
  group: 'Write workflows',
  summary: 'run a workflow on this machine, its steps as child processes',
  configure(command, context) {
    command
      .argument('[app]', 'directory with cdk8s.yaml, main file of an app, or directory of manifests')
      .argument('[workflow]', 'name of the workflow; may be left out when there is only one')
      .option('--local', 'run on this machine; on a cluster, a plan is run with launch')
      .option('-i, --input <name=value>', 'an input; may be given several times', collect)
      .option('--input-file <file>', 'inputs as JSON or YAML')
      .option('--plan <name>', "use a launch plan's inputs, settings and pod override")
      .option('--cluster <name>', 'use what is synthesized for this cluster; the first one when left out')
      .option('--approve <step>', 'approve a step that waits for it; may be given several times', collect)
      .option('--answer <step=value>', 'what a step waits for; may be given several times', collect)
      .option('--parallelism <number>', 'steps that may run at once', wholeNumber(1))
      .option('--run <name>', 'name of the run; made from the workflow and the time when left out')
      .option('--resume [run]', 'go on with an interrupted run; with the newest when no name is given')
      .option('--logs', 'print what the steps print');
    addOverrideOptions(addCacheOptions(addRunPolicyOptions(command)));
    addOutputOption(command, ['json'])
      .addHelpText(
        'after',
        `
Steps run in the app's directory with your environment, and over it the variables of their container. Logs, outputs and the
record of a run are kept in .workflows/runs/<run>/, results of steps with a cache in .workflows/cache/. Of what --set and --override change, commands, arguments, variables and the grace period matter here.
A step that waits for an approval or an input asks for it on the terminal; where there is none, give --approve or --answer.
Ctrl-C cancels the run and ends its steps in order; a second one kills them.

Examples:
  ${context.program} run apps/quickstart etl --local --input site=a
  ${context.program} run apps/site-etl site-etl --local --plan etl-site-a --logs
  ${context.program} run --local --resume
`,
      )
      .action(async (app: string | undefined, workflow: string | undefined, options: RunOptions) =>
        (await import('../actions/run.ts')).run(context, { app, workflow }, options),
      );
  },
  async complete(request, context) {
    return (await import('../app/complete-local.ts')).completeLocal(request, context);
  },
};
