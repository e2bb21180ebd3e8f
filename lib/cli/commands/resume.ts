import type { CommandModule } from '../command-module.ts';
import type { ClusterOptions } from '../options.ts';
import { addRunOrPlan, completeRunOrPlan } from '../cluster/run-or-plan-argument.ts';

export const resumeCommand: CommandModule = {
  name: 'resume',
  group: 'Run and watch',
  summary: 'let a suspended run or plan go on',
  configure(command, context) {
    addRunOrPlan(command).action(async (name: string, options: ClusterOptions) =>
      (await import('../actions/suspension.ts')).setSuspended(context, name, false, options),
    );
  },
  complete: completeRunOrPlan,
};
