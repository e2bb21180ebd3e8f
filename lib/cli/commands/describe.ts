import type { CommandModule } from '../command-module.ts';
import { UsageError } from '../errors.ts';
import { addClusterOptions, addOutputOption, type ClusterOptions } from '../options.ts';

/** Options of `describe`. */
export interface DescribeOptions extends ClusterOptions {
  readonly output?: 'json' | 'yaml' | 'wide';
}

export const describeCommand: CommandModule = {
  name: 'describe',
  group: 'Run and watch',
  summary: 'show a run with its steps, why they wait or failed, and its events; or a launch plan with its settings',
  configure(command, context) {
    addClusterOptions(
      command
        .argument('<run>', 'name of the run; plan/<name> or plan <name> for a launch plan')
        .argument('[name]', 'name of the launch plan'),
    );
    addOutputOption(command, ['json', 'yaml', 'wide'])
      .addHelpText(
        'after',
        `
With -o wide the outputs of every step are shown too. Of a plan each setting is shown with who set it: the plan, its group, its workflow, the
fleet, or a command.

Examples:
  ${context.program} describe etl-site-a-x7k2p
  ${context.program} describe plan etl-site-a
`,
      )
      .action(async (first: string, second: string | undefined, options: DescribeOptions) => {
        const plan = planIn(first, second);
        if (plan !== undefined)
          return (await import('../actions/describe-plan.ts')).describePlan(context, plan, options);
        if (second !== undefined && !/^(run|job)s?$/.test(first))
          throw new UsageError(`describe shows one run or plan; ${JSON.stringify(first)} is no kind: run or plan`);
        await (await import('../actions/describe.ts')).describe(context, second ?? first, options);
      });
  },
  async complete({ before, option }, context) {
    if (option !== undefined || before.length > 1) return undefined;
    const { completeNames } = await import('../cluster/complete-names.ts');
    if (before.length === 1) return before[0] === 'plan' ? completeNames(context, 'plans') : undefined;
    return completeNames(context, 'runs');
  },
};

/** The plan that is meant, if it is a plan. */
function planIn(first: string, second: string | undefined): string | undefined {
  const kind = /^(plans?|cronjobs?(\.batch)?)$/;
  if (second !== undefined) return kind.test(first) ? second : undefined;
  return kind.test(first.split('/')[0]!) && first.includes('/') ? first : undefined;
}
