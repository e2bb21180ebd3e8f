import { withCluster } from '../cluster/cluster-session.ts';
import type { CliContext } from '../context.ts';
import { FailedError } from '../errors.ts';
import type { ClusterOptions } from '../options.ts';
import { hasGraph, isOver, summaryOf } from '../cluster/run-summary.ts';
import { findRunOrPlan } from '../cluster/steering.ts';
import { HAND_MANAGER } from '../../fleet/field-managers.ts';
import { cronJobs, jobs } from '../../kube/resources.ts';

/** Suspends or resumes a run or a plan. Doing it twice is doing it once. */
export async function setSuspended(
  context: CliContext,
  name: string,
  suspend: boolean,
  options: ClusterOptions,
): Promise<void> {
  const { out, err } = context;
  await withCluster(options, async (client) => {
    const steered = await findRunOrPlan(client, name);
    const object = steered.kind === 'run' ? steered.job : steered.plan;
    const title = `${steered.kind} ${object.metadata.name}`;
    if (steered.kind === 'run') {
      const { phase } = summaryOf(steered.job);
      if (isOver(phase))
        throw new FailedError(`The ${title} is over (${phase}); there is nothing to ${suspend ? 'suspend' : 'resume'}`);
    }
    if ((object.spec.suspend ?? false) === suspend)
      return out.line(`${title} ${suspend ? 'is suspended' : 'is not suspended'} already`);
    await client.patch(
      steered.kind === 'run' ? jobs : cronJobs,
      object.metadata.name,
      { spec: { suspend } },
      {
        type: 'merge',
        namespace: object.metadata.namespace,
        repeatable: true,
        fieldManager: HAND_MANAGER,
      },
    );
    out.line(`${title} ${suspend ? 'suspended' : 'resumed'}`);
    if (steered.kind === 'plan' && !suspend && isNeverScheduled(steered.plan.spec.schedule)) {
      err.line(`${err.colors.yellow('warning:')} it has no schedule: it starts no runs by itself`);
    }
    if (steered.kind === 'run' && suspend && steered.job.spec.managedBy === undefined && !hasGraph(steered.job))
      err.line(
        `${err.colors.yellow('warning:')} it is a plain Job: its pod was stopped, and starts anew when it is resumed`,
      );
  });
}

/** The 31st of February: what a plan without a schedule runs by. */
function isNeverScheduled(schedule: string): boolean {
  return schedule === '0 0 31 2 *';
}
