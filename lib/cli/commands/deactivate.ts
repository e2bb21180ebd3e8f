import type { CommandModule } from '../command-module.ts';
import { addActivation, completeActivation, type ActivationOptions } from '../cluster/plans/activation-argument.ts';

export const deactivateCommand: CommandModule = {
  name: 'deactivate',
  group: 'Run and watch',
  summary: 'let a launch plan, or every plan of a group, start no runs by its schedule',
  configure(command, context) {
    addActivation(command, context).action(async (plan: string | undefined, options: ActivationOptions) =>
      (await import('../actions/activation.ts')).setActive(context, plan, false, options),
    );
  },
  complete: completeActivation,
};
