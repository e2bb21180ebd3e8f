import type { CommandModule } from '../command-module.ts';
import type { ClusterOptions } from '../options.ts';
import { addRunOrPlan, completeRunOrPlan } from '../cluster/run-or-plan-argument.ts';

export const suspendCommand: CommandModule = {
  name: 'suspend',
  group: 'Run and watch',
  summary: 'let a run start nothing new, or a plan start no runs by its schedule',
  configure(command, context) {
    addRunOrPlan(command).action(async (name: string, options: ClusterOptions) =>
      (await import('../actions/suspension.ts')).setSuspended(context, name, true, options),
    );
  },
  complete: completeRunOrPlan,
};
