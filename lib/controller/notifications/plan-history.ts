import { annotations, labels } from '../../graph/labels.ts';
import type { Job } from '../objects.ts';
import { failuresBefore, type PastRun } from './notification-rules.ts';
import type { RunFacts } from './run-facts.ts';

/** How the runs of each plan ended that are still there. */
export class PlanHistory {
  readonly #plans = new Map<string, Map<string, PastRun>>();
  #seen = 0;

  put(job: Job, { uid, end, failuresBefore: known }: RunFacts): void {
    const plan = planOf(job);
    if (plan === undefined || end === undefined) return;
    const runs = this.#plans.get(plan) ?? new Map<string, PastRun>();
    this.#plans.set(plan, runs);
    const seen = runs.get(uid)?.seen ?? this.#seen++;
    runs.set(uid, {
      uid,
      end: { phase: end.phase, at: end.at },
      seen,
      ...(known !== undefined && { failuresBefore: known }),
    });
  }

  remove(job: Job): void {
    const plan = planOf(job);
    const runs = plan === undefined ? undefined : this.#plans.get(plan);
    runs?.delete(job.metadata.uid ?? '');
    if (plan !== undefined && runs?.size === 0) this.#plans.delete(plan);
  }

  /** How many runs of its plan failed in a row just before a run ended; 0 of one that goes on. */
  failuresBefore(job: Job): number {
    const runs = this.#plans.get(planOf(job) ?? '');
    const run = runs?.get(job.metadata.uid ?? '');
    return runs === undefined || run === undefined ? 0 : failuresBefore(run, runs.values());
  }
}

/** The plan that a Job is a run of. A step has the label of the plan that its run is of; a run of a backfill says nothing of how the plan is now. */
function planOf({ metadata }: Job): string | undefined {
  const { [labels.plan]: plan, [labels.step]: step, [labels.backfill]: backfill } = metadata.labels ?? {};
  const isPart = step !== undefined && metadata.annotations?.[annotations.notifications] === undefined;
  return plan === undefined || isPart || backfill !== undefined ? undefined : `${metadata.namespace}/${plan}`;
}
