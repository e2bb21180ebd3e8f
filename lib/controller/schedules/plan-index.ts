import { labels } from '../../graph/labels.ts';
import { keyOf } from '../../kube/objects.ts';
import type { Job } from '../objects.ts';
import { planOf } from './turn-rules.ts';

/** The Jobs that a plan's schedule or a person made, by the plan. */
export class PlanIndex {
  readonly #plans = new Map<string, Map<string, Job>>();

  put(job: Job): void {
    if (!isPlanned(job)) return;
    const jobs = this.#plans.get(planOf(job)) ?? new Map<string, Job>();
    this.#plans.set(planOf(job), jobs.set(keyOf(job), job));
  }

  remove(job: Job): void {
    const jobs = this.#plans.get(planOf(job));
    if (jobs?.delete(keyOf(job)) && jobs.size === 0) this.#plans.delete(planOf(job));
  }

  of(plan: string, namespace: string | undefined): readonly Job[] {
    return [...(this.#plans.get(`${namespace}/${plan}`)?.values() ?? [])];
  }
}

/** A step that is a run of a plan is none of those that the plan's schedule is about. */
function isPlanned({ metadata: { labels: given } }: Job): boolean {
  return given?.[labels.plan] !== undefined && given[labels.step] === undefined;
}
