import type { ActivationOptions } from '../cluster/activation-argument.ts';
import { findPlan, withCluster } from '../cluster/cluster-session.ts';
import { groupPlans } from '../cluster/list-plans.ts';
import { isScheduled } from '../cluster/plan-summary.ts';
import type { CliContext } from '../context.ts';
import { ExitError, exitCodes, UsageError } from '../errors.ts';
import { inParallel } from '../../fleet/in-parallel.ts';
import { switchPlan } from '../../fleet/switch-plan.ts';
import { annotations } from '../../graph/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { PlanCronJob } from '../../runs/run-objects.ts';

const REQUESTS_AT_ONCE = 8;

/** Lets plans start runs by their schedule, or none. Doing it twice is doing it once. */
export async function setActive(
  context: CliContext,
  name: string | undefined,
  active: boolean,
  options: ActivationOptions,
): Promise<void> {
  const { group } = options;
  if ((name === undefined) === (group === undefined)) throw new UsageError('name a plan, or give --group');
  const { out, err } = context;
  await withCluster(options, async (client) => {
    const plans = group === undefined ? [await findPlan(client, name!)] : await groupPlans(client, group);
    const results = await inParallel(plans, REQUESTS_AT_ONCE, (plan) => change(client, plan, active));
    for (const { line, error } of results)
      if (error === undefined) out.line(line);
      else err.line(`${err.colors.red('error:')} ${line}: ${error}`);
    if (active)
      for (const plan of plans)
        for (const warning of warnings(plan)) err.line(`${err.colors.yellow('warning:')} ${warning}`);
    if (results.some(({ error }) => error !== undefined)) throw new ExitError(exitCodes.failed);
  });
}

async function change(
  client: KubeClient,
  plan: PlanCronJob,
  active: boolean,
): Promise<{ readonly line: string; readonly error?: string }> {
  const line = `plan ${plan.metadata.name}`;
  try {
    const changed = await switchPlan(client, plan, active);
    const state = active ? 'active' : 'inactive';
    return { line: `${line} ${changed ? `${active ? '' : 'de'}activated` : `is ${state} already`}` };
  } catch (error) {
    return { line, error: (error as Error).message };
  }
}

function* warnings(plan: PlanCronJob): Generator<string> {
  const { metadata } = plan;
  if (!isScheduled(plan)) yield `plan ${metadata.name} has no schedule: it starts no runs by itself`;
  const main = metadata.annotations?.[annotations.backupOf];
  if (main !== undefined)
    yield `plan ${metadata.name} is a backup here: while it is active on ${main} too, both start its runs`;
}
