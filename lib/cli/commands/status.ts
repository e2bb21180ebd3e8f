import type { CommandModule } from '../command-module.ts';
import { addPlansOptions, completeGroups, type PlansOptions } from './plans.ts';

export const statusCommand: CommandModule = {
  name: 'status',
  group: 'Run and watch',
  summary: 'show how the last run of each launch plan went, one line a plan',
  configure(command, context) {
    addPlansOptions(command)
      .addHelpText('after', `\nExample:\n  ${context.program} status --group sites\n`)
      .action(async (options: PlansOptions) => (await import('../actions/plans.ts')).plans(context, 'status', options));
  },
  complete: completeGroups,
};
