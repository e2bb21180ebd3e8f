import type { CommandModule } from '../command-module.ts';
import { choiceOption } from '../options.ts';

/** Options of `graph`. */
export interface GraphOptions {
  readonly format?: 'mermaid' | 'svg' | 'json';
  readonly output?: string;
  readonly direction?: 'down' | 'right';
  readonly cluster?: string;
}

export const graphCommand: CommandModule = {
  name: 'graph',
  group: 'Write workflows',
  summary: 'draw the graph of a workflow',
  configure(command, context) {
    command
      .argument('<app>', 'directory with cdk8s.yaml, main file of an app, or directory of manifests')
      .argument('[workflow]', 'name of the workflow; may be left out when there is only one')
      .addOption(
        choiceOption('--format <format>', "default: the output file's, else mermaid", ['mermaid', 'svg', 'json']),
      )
      .option('-o, --output <file>', 'file to write; stdout when left out')
      .addOption(choiceOption('--direction <direction>', 'which way it reads', ['down', 'right']))
      .option('--cluster <name>', 'draw what is synthesized for this cluster')
      .addHelpText(
        'after',
        `
Solid arrows pass values and carry the names of the outputs; dashed arrows are order alone.

Examples:
  ${context.program} graph apps/quickstart
  ${context.program} graph apps/site-etl site-etl -o site-etl.svg
`,
      )
      .action(async (app: string, workflow: string | undefined, options: GraphOptions) =>
        (await import('../actions/graph.ts')).graph(context, { app, workflow }, options),
      );
  },
  async complete(request, context) {
    return (await import('../app/complete-local.ts')).completeLocal(request, context);
  },
};
