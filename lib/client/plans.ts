import { labels } from '../graph/labels.ts';
import { releaseRuns } from '../fleet/release-runs.ts';
import type { KubeClient } from '../kube/client.ts';
import { isNotFound } from '../kube/errors.ts';
import { eachObject } from '../kube/pages.ts';
import { cronJobs } from '../kube/resources.ts';
import { WorkflowsError } from '../runs/errors.ts';
import { findPlan } from '../runs/find.ts';
import { PLAN_SELECTOR } from '../runs/run-kinds.ts';
import type { PlanCronJob } from '../runs/run-objects.ts';
import { planInfo, type PlanInfo } from './plan-info.ts';
import type { CallOptions } from './run.ts';
import { selectorOf } from './selector.ts';
import { translated } from './translate.ts';

/** Which plans are meant. */
export interface PlanSelection extends CallOptions {
  readonly group?: string;
  readonly workflow?: string;
  /** The name of the program that registered them. */
  readonly registeredBy?: string;
}

/** The launch plans of a namespace. */
export class Plans {
  readonly #client: KubeClient;
  readonly #name: string;

  /** @internal */
  constructor(client: KubeClient, name: string) {
    this.#client = client;
    this.#name = name;
  }

  /** @throws WorkflowsError when there is no such plan */
  get(name: string, { signal }: CallOptions = {}): Promise<PlanInfo> {
    return translated(async () => planInfo(await findPlan(this.#client, name, { signal })));
  }

  /** Those that there are, by name: applied ones, and those that programs registered. */
  list({ signal, ...selection }: PlanSelection = {}): Promise<readonly PlanInfo[]> {
    return translated(async () => {
      const plans: PlanInfo[] = [];
      const labelSelector = selectorOf(PLAN_SELECTOR, selection);
      for await (const plan of eachObject<PlanCronJob>(this.#client, cronJobs, { labelSelector, signal }))
        plans.push(planInfo(plan));
      return plans.sort((a, b) => (a.name < b.name ? -1 : 1));
    });
  }

  /**
   * Deletes a plan that this program registered. Its runs go on, and are kept for seven days after their end. One that is not there was deleted before.
   *
   * @throws WorkflowsError when it is another's, or is applied from manifests
   */
  delete(name: string, { signal }: CallOptions = {}): Promise<void> {
    return translated(async () => {
      const plan = await findPlan(this.#client, name, { signal }).catch((error: unknown) => {
        if (error instanceof WorkflowsError && error.reason === 'NotFound') return undefined;
        throw error;
      });
      if (plan === undefined) return;
      const { uid, resourceVersion } = plan.metadata;
      const owner = plan.metadata.labels?.[labels.registeredBy];
      if (owner !== this.#name)
        throw new WorkflowsError(
          'Conflict',
          owner === undefined
            ? `The plan ${name} is applied from manifests; delete it there`
            : `The plan ${name} was registered by ${owner}, and this is ${this.#name}`,
        );
      await releaseRuns(this.#client, plan, signal);
      const preconditions = { uid, resourceVersion, propagationPolicy: 'Orphan', signal } as const;
      await this.#client.delete(cronJobs, name, preconditions).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    });
  }
}
