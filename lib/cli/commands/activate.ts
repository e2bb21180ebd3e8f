import type { CommandModule } from '../command-module.ts';
import { addActivation, completeActivation, type ActivationOptions } from '../cluster/plans/activation-argument.ts';

export const activateCommand: CommandModule = {
  name: 'activate',
  group: 'Run and watch',
  summary: 'let a launch plan, or every plan of a group, start runs by its schedule',
  configure(command, context) {
    addActivation(command, context).action(async (plan: string | undefined, options: ActivationOptions) =>
      (await import('../actions/activation.ts')).setActive(context, plan, true, options),
    );
  },
  complete: completeActivation,
};
