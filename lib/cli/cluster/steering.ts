import { bareName, findPlan, findRun, found } from './cluster-session.ts';
import { FailedError } from '../errors.ts';
import type { PlanCronJob, RunJob } from './run-objects.ts';
import { MANAGED_BY, labels } from '../../graph/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import { cronJobs, jobs } from '../../kube/resources.ts';

/** What `suspend` and `resume` act on. */
export type Steered =
  { readonly kind: 'run'; readonly job: RunJob } | { readonly kind: 'plan'; readonly plan: PlanCronJob };

/**
 * The run or plan that a name means.
 *
 * @throws FailedError when there is none, or one of each
 */
export async function findRunOrPlan(client: KubeClient, written: string): Promise<Steered> {
  if (/^(runs?|jobs?(\.batch)?)\//.test(written)) return { kind: 'run', job: await findRun(client, written) };
  if (/^(plans?|cronjobs?(\.batch)?)\//.test(written)) return { kind: 'plan', plan: await findPlan(client, written) };
  const name = bareName(written);
  const [job, plan] = await Promise.all([
    found<RunJob>(client, jobs, name).then(ours),
    found<PlanCronJob>(client, cronJobs, name).then(ours),
  ]);
  if (job && plan) throw new FailedError(`There are a run and a plan "${name}"; write run/${name} or plan/${name}`);
  if (plan) return { kind: 'plan', plan };
  if (job) return { kind: 'run', job };
  const [noRun, noPlan] = await Promise.all([
    findRun(client, name).then(never, messageOf),
    findPlan(client, name).then(never, messageOf),
  ]);
  throw new FailedError(
    suggests(noPlan) && !suggests(noRun) ? noPlan : `${noRun}\nThere is no plan of that name either`,
  );
}

function ours<T extends RunJob | PlanCronJob>(object: T | undefined): T | undefined {
  return object?.metadata.labels?.[labels.managedBy] === MANAGED_BY ? object : undefined;
}

function never(): string {
  return '';
}

function messageOf(error: unknown): string {
  if (error instanceof FailedError) return error.message;
  throw error;
}

function suggests(message: string): boolean {
  return message.includes('did you mean');
}
