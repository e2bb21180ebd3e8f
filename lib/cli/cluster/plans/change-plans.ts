import { inParallel } from '../../../fleet/in-parallel.ts';
import { patchByHand } from '../../../fleet/failover/switch-plan.ts';
import type { KubeClient } from '../../../kube/client.ts';
import type { PlanCronJob } from '../../../runs/run-objects.ts';
import type { JsonObject } from '../../../values/json.ts';
import type { CliContext } from '../../context.ts';
import { ExitError, exitCodes, UsageError } from '../../errors.ts';
import { grantHints } from '../../grant-hint.ts';
import type { ActivationOptions } from './activation-argument.ts';
import { findPlan, withCluster } from '../cluster-session.ts';
import { groupPlans } from './list-plans.ts';

const REQUESTS_AT_ONCE = 8;

/** What a command does to a plan. */
export interface PlanChange {
  /** A merge patch; nothing when there is nothing to do. */
  readonly patch?: JsonObject;
  /** What is then said of the plan: `activated`. */
  readonly done: string;
  /** Why it cannot be done. */
  readonly problem?: string;
  readonly warnings?: readonly string[];
}

/** Changes one plan, or every plan of a group, by hand: apply keeps it. Each is told; one that fails keeps no other from it. */
export async function changePlans(
  context: CliContext,
  name: string | undefined,
  options: ActivationOptions,
  changeOf: (plan: PlanCronJob) => PlanChange,
): Promise<void> {
  const { group } = options;
  if ((name === undefined) === (group === undefined)) throw new UsageError('name a plan, or give --group');
  const { out, err } = context;
  await withCluster(options, async (client) => {
    const plans = group === undefined ? [await findPlan(client, name!)] : await groupPlans(client, group);
    const changes = plans.map((plan) => ({ plan, change: changeOf(plan) }));
    const problems = await inParallel(changes, REQUESTS_AT_ONCE, ({ plan, change }) => doIt(client, plan, change));
    for (const [index, { plan, change }] of changes.entries()) {
      const line = `plan ${plan.metadata.name}`;
      if (problems[index] === undefined) out.line(`${line} ${change.done}`);
      else err.line(`${err.colors.red('error:')} ${line}: ${problems[index]}`);
    }
    for (const hint of grantHints(problems.filter((problem) => problem !== undefined))) err.line(hint);
    for (const { plan, change } of changes)
      for (const warning of change.warnings ?? [])
        err.line(`${err.colors.yellow('warning:')} plan ${plan.metadata.name} ${warning}`);
    if (problems.some((problem) => problem !== undefined)) throw new ExitError(exitCodes.failed);
  });
}

async function doIt(
  client: KubeClient,
  plan: PlanCronJob,
  { patch, problem }: PlanChange,
): Promise<string | undefined> {
  if (problem !== undefined || patch === undefined) return problem;
  try {
    await patchByHand(client, plan, patch);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
