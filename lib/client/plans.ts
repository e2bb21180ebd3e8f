import { releaseRuns } from '../fleet/prune/release-runs.ts';
import type { KubeClient } from '../kube/client.ts';
import { isNotFound } from '../kube/errors.ts';
import { eachObject } from '../kube/pages.ts';
import { cronJobs } from '../kube/resources.ts';
import { findPlan, found } from '../runs/find.ts';
import { PLAN_SELECTOR } from '../runs/run-kinds.ts';
import type { PlanCronJob } from '../runs/run-objects.ts';
import { planInfo, type PlanInfo } from './plan-info.ts';
import type { CallOptions } from './run.ts';
import { checkOwner } from './plan-owner.ts';
import type { PlanRegistration, RegisteredPlan } from './plan-registration.ts';
import { selectorOf } from './selector.ts';
import { translated } from './translate.ts';
import type { AnyWorkflowType, WorkflowType } from './types.ts';

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
   * Registers a plan over a workflow that was applied, or changes one that this program registered: what it does not say becomes what it is by
   * default. It is written only when nothing is wrong with it, and stays as it is when nothing changes. No apply deletes it.
   *
   * @throws WorkflowsError with everything that is wrong, when there is no such workflow, or when the plan is another's or is applied from manifests
   * @example
   * await client.plans.createOrUpdate<typeof etl>({
   *   name: 'site-etl-paris',
   *   workflow: 'site-etl',
   *   fixedInputs: { site: 'paris' },
   *   schedule: '0 *\/6 * * *',
   * });
   */
  createOrUpdate<W extends WorkflowType = AnyWorkflowType>(
    plan: PlanRegistration<W>,
    { signal }: CallOptions = {},
  ): Promise<RegisteredPlan> {
    return translated(async () => {
      const { registerPlan } = await import('./register-plan.ts');
      return registerPlan(this.#client, plan as PlanRegistration<WorkflowType>, this.#name, signal);
    });
  }

  /**
   * Deletes a plan that this program registered. Its runs go on, and are kept for seven days after their end. It is gone a moment later; to delete it twice is to delete it once.
   *
   * @throws WorkflowsError when it is another's, or is applied from manifests
   */
  delete(name: string, { signal }: CallOptions = {}): Promise<void> {
    return translated(async () => {
      const plan = await found<PlanCronJob>(this.#client, cronJobs, name, { signal });
      if (plan === undefined || plan.metadata.deletionTimestamp !== undefined) return;
      checkOwner(plan, this.#name);
      const { uid, resourceVersion } = plan.metadata;
      await releaseRuns(this.#client, plan, signal);
      const preconditions = { uid, resourceVersion, propagationPolicy: 'Orphan', signal } as const;
      await this.#client.delete(cronJobs, name, preconditions).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    });
  }
}
