import type { ActivationOptions } from '../cluster/plans/activation-argument.ts';
import { changePlans, type PlanChange } from '../cluster/plans/change-plans.ts';
import { isScheduled } from '../../runs/plan-identity.ts';
import type { CliContext } from '../context.ts';
import { pausedUntil } from '../../fleet/plan-pause.ts';
import { activationPatch } from '../../fleet/failover/switch-plan.ts';
import { annotations } from '../../graph/labels.ts';
import type { PlanCronJob } from '../../runs/run-objects.ts';

/** Lets plans start runs by their schedule, or none. Doing it twice is doing it once. */
export async function setActive(
  context: CliContext,
  name: string | undefined,
  active: boolean,
  options: ActivationOptions,
): Promise<void> {
  const now = Date.now();
  await changePlans(context, name, options, (plan) => (active ? activation : deactivation)(plan, now));
}

function deactivation(plan: PlanCronJob, now: number): PlanChange {
  const patch = activationPatch(plan, false, now);
  return { ...(patch && { patch }), done: patch ? 'deactivated' : 'is inactive already' };
}

function activation(plan: PlanCronJob, now: number): PlanChange {
  const patch = activationPatch(plan, true, now);
  const pause = pausedUntil(plan, now) === undefined ? '' : ': its pause is over';
  const done = patch ? `activated${pause}` : 'is active already';
  return { ...(patch && { patch }), done, warnings: [...warningsOf(plan)] };
}

function* warningsOf(plan: PlanCronJob): Generator<string> {
  if (!isScheduled(plan)) yield 'has no schedule: it starts no runs by itself';
  const main = plan.metadata.annotations?.[annotations.backupOf];
  if (main !== undefined) yield `is a backup here: while it is active on ${main} too, both start its runs`;
}
