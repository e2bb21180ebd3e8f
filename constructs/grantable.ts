import type { ISubject } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { PlanGrants } from './plan-grants.ts';

/** A plan, or a group of plans, that others are allowed to use. Each grant holds for all plans of a group, one by one or together. */
export abstract class Grantable extends Construct {
  /** @internal */
  protected abstract readonly grants: PlanGrants;

  /**
   * Allows service accounts, users or groups to read the plan and its runs: what they say and log, and what they gave. RBAC cannot limit a
   * list, so that all plans, runs, pods, ConfigMaps and events of the namespace can be read: what is not to be seen belongs into another one.
   */
  grantView(...subjects: ISubject[]): this {
    this.grants.grant('view', subjects);
    return this;
  }

  /**
   * Allows to have the trigger of the controller start runs of the plan, with inputs that the workflow takes. Beyond that nothing is allowed, so that
   * it is what callers from outside should have.
   */
  grantTrigger(...subjects: ISubject[]): this {
    this.grants.grant('trigger', subjects);
    return this;
  }

  /**
   * Allows to start runs of the plan and to follow them to their end. A run is a Job, and RBAC cannot limit what is created: who may launch can
   * make any pod in the namespace, with its Secrets and as its service accounts. Those who must not belong into another namespace.
   */
  grantLaunch(...subjects: ISubject[]): this {
    this.grants.grant('launch', subjects);
    return this;
  }

  /**
   * Allows what is done by hand: to view; to activate, deactivate and roll back the plan; to start, cancel, rerun, suspend, answer and delete
   * runs. Of plans only this one can be changed; of runs, which RBAC cannot tell by their plan, all of the namespace.
   */
  grantOperate(...subjects: ISubject[]): this {
    this.grants.grant('operate', subjects);
    return this;
  }
}
