import type { CommandModule } from '../command-module.ts';

/** Options of `synth`; those that cdk8s has too mean what they mean there. */
export interface SynthOptions {
  readonly app?: string;
  readonly output?: string;
  readonly stdout?: boolean;
  readonly json?: boolean;
}

export const synthCommand: CommandModule = {
  name: 'synth',
  group: 'Write workflows',
  summary: 'write the manifests of an app, one directory per cluster',
  configure(command, context) {
    command
      .argument('[app]', 'directory with cdk8s.yaml, or the main file of an app', '.')
      .option('-a, --app <command>', 'command that runs the app; app of cdk8s.yaml when left out')
      .option('-o, --output <directory>', 'where to write; output of cdk8s.yaml when left out, else dist')
      .option('-p, --stdout', 'print the manifests and write nothing')
      .option('--json', 'print what was written as JSON')
      .addHelpText(
        'after',
        `
Writes the files that "cdk8s synth" writes. Files that did not change are not touched, files of an earlier synth that
are no longer part of the app are removed, and files that no synth wrote are kept.

Examples:
  ${context.program} synth
  ${context.program} synth apps/site-etl -o out
  ${context.program} synth -p | kubectl diff -f -
`,
      )
      .action(async (app: string, options: SynthOptions) =>
        (await import('../actions/synth.ts')).synth(context, app, options),
      );
  },
};
