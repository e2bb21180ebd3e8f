import { changePlans, type PlanChange } from '../cluster/plans/change-plans.ts';
import { isScheduled } from '../../runs/plan-identity.ts';
import type { PauseOptions } from '../commands/pause.ts';
import type { CliContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { formatDuration } from '../terminal/duration.ts';
import { pause, pausedUntil } from '../../fleet/plan-pause.ts';
import { kickoffText } from '../../graph/kickoff.ts';
import { CONTROLLER_NAME } from '../../graph/labels.ts';
import type { PlanCronJob } from '../../runs/run-objects.ts';

/** `pause`: lets plans start no runs by their schedule until a time. */
export async function pausePlans(context: CliContext, name: string | undefined, options: PauseOptions): Promise<void> {
  const now = Date.now();
  const { until = options.for === undefined ? undefined : now + options.for * 1000 } = options;
  if (until === undefined) throw new UsageError('say for how long: --for 2h, or --until 2026-03-01T06:00Z');
  if (until <= now) throw new UsageError(`--until ${kickoffText(until)} is over: it is ${kickoffText(now)}`);
  await changePlans(context, name, options, (plan) => pauseOf(plan, Math.ceil(until / 1000) * 1000, now));
}

function pauseOf(plan: PlanCronJob, until: number, now: number): PlanChange {
  const { jobTemplate, suspend } = plan.spec;
  // Kubernetes makes the runs all the same; it is the controller that skips them.
  if (jobTemplate.spec.managedBy !== CONTROLLER_NAME)
    return { done: '', problem: 'no controller sequences its runs, which could end the pause; deactivate it' };
  const told = `until ${kickoffText(until)}, for ${formatDuration(until - now)}`;
  if (pausedUntil(plan, now) === until) return { done: `is paused ${told} already` };
  const warnings = !isScheduled(plan)
    ? ['has no schedule: it starts no runs by itself']
    : suspend === true
      ? ['is inactive: it starts no runs after the pause either, until it is activated']
      : [];
  return { patch: { spec: pause(until) }, done: `paused ${told}`, warnings };
}
