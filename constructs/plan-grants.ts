import type { ISubject } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { planRules, type GrantedPlans, type PlanAccess } from '../lib/graph/plan-permissions.ts';
import { grant } from './grant.ts';
import { checkObject } from './validate-manifests.ts';

/** A plan that is on the cluster that is being synthesized. */
export interface PlacedPlan {
  readonly name: string;
  readonly namespace: string | undefined;
}

/** Who may do what with a plan, or with those of a group: a Role and a RoleBinding for each access and namespace that is granted. */
export class PlanGrants {
  readonly #owner: Construct;
  /** Begins the names of the Roles. */
  readonly #prefix: string;
  readonly #ofGroup: boolean;
  readonly #plans: readonly PlacedPlan[];
  readonly #granted = new Map<PlanAccess, Set<ISubject>>();

  /** @param plans those that are on this cluster; where there is none, nothing is granted */
  constructor(owner: Construct & { readonly name: string }, kind: 'plan' | 'group', plans: readonly PlacedPlan[]) {
    this.#owner = owner;
    this.#prefix = `${kind}-${owner.name}`;
    this.#ofGroup = kind === 'group';
    this.#plans = plans;
  }

  grant(access: PlanAccess, subjects: readonly ISubject[]): void {
    const granted = this.#granted.get(access);
    if (granted !== undefined) return subjects.forEach((subject) => granted.add(subject));
    if (subjects.length === 0) return;
    const first = new Set(subjects);
    this.#granted.set(access, first);
    for (const [namespace, plans] of Map.groupBy(this.#plans, (plan) => plan.namespace)) {
      const about: GrantedPlans = { names: plans.map(({ name }) => name).sort(), ofGroup: this.#ofGroup };
      const objects = grant(this.#owner, {
        kind: 'Role',
        name: `${this.#prefix}-${access}`,
        namespace,
        rules: planRules(access, about),
        subjects: () => [...first],
      });
      for (const object of objects) checkObject(object, this.#owner);
    }
  }
}
