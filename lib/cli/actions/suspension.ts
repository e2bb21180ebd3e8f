import { bareName, findRun, withCluster } from '../cluster/cluster-session.ts';
import type { CliContext } from '../context.ts';
import { FailedError } from '../errors.ts';
import type { ClusterOptions } from '../options.ts';
import { endOfPause, pausedUntil } from '../../fleet/plan-pause.ts';
import { patchByHand } from '../../fleet/failover/switch-plan.ts';
import { HAND_MANAGER } from '../../fleet/apply/field-managers.ts';
import type { KubeClient } from '../../kube/client.ts';
import { cronJobs, jobs } from '../../kube/resources.ts';
import { WorkflowsError } from '../../runs/errors.ts';
import { found } from '../../runs/find.ts';
import type { PlanCronJob, RunJob } from '../../runs/run-objects.ts';
import { hasGraph, isOver, summaryOf } from '../../runs/run-summary.ts';

/** Suspends or resumes a run. Doing it twice is doing it once. */
export async function setSuspended(
  context: CliContext,
  name: string,
  suspend: boolean,
  options: ClusterOptions,
): Promise<void> {
  const { out, err, program } = context;
  await withCluster(options, async (client) => {
    const job = await runOrPlan(client, name);
    if (isPlan(job)) {
      if (!suspend && pausedUntil(job, Date.now()) !== undefined) return resumePlan(context, client, job);
      const { name: itself } = job.metadata;
      const command = `${program} ${suspend ? 'deactivate' : 'activate'} ${itself}`;
      throw new FailedError(`${itself} is a launch plan; its schedule is switched by: ${command}`);
    }
    const title = `run ${job.metadata.name}`;
    const { phase } = summaryOf(job);
    if (isOver(phase))
      throw new FailedError(`The ${title} is over (${phase}); there is nothing to ${suspend ? 'suspend' : 'resume'}`);
    if ((job.spec.suspend ?? false) === suspend)
      return out.line(`${title} ${suspend ? 'is suspended' : 'is not suspended'} already`);
    await client.patch(
      jobs,
      job.metadata.name,
      { spec: { suspend } },
      { type: 'merge', namespace: job.metadata.namespace, repeatable: true, fieldManager: HAND_MANAGER },
    );
    out.line(`${title} ${suspend ? 'suspended' : 'resumed'}`);
    if (suspend && job.spec.managedBy === undefined && !hasGraph(job))
      err.line(
        `${err.colors.yellow('warning:')} it is a plain Job: its pod was stopped, and starts anew when it is resumed`,
      );
  });
}

/** The run of a name, else the plan. */
async function runOrPlan(client: KubeClient, name: string): Promise<RunJob | PlanCronJob> {
  try {
    return await findRun(client, name);
  } catch (error) {
    const plan =
      error instanceof WorkflowsError ? await found<PlanCronJob>(client, cronJobs, bareName(name)) : undefined;
    if (plan === undefined) throw error;
    return plan;
  }
}

function isPlan(object: RunJob | PlanCronJob): object is PlanCronJob {
  return 'jobTemplate' in object.spec;
}

/** Ends the pause of a plan. */
async function resumePlan({ out }: CliContext, client: KubeClient, plan: PlanCronJob): Promise<void> {
  await patchByHand(client, plan, { spec: endOfPause(plan, Date.now()) });
  out.line(`plan ${plan.metadata.name} resumed: its pause is over`);
}
