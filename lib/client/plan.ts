import { switchPlan } from '../fleet/failover/switch-plan.ts';
import type { KubeClient } from '../kube/client.ts';
import type { RunOverride } from '../pods/run-override.ts';
import { findPlan } from '../runs/find.ts';
import type { LaunchName, LaunchSettings } from '../runs/launch-settings.ts';
import type { JsonObject } from '../values/json.ts';
import { planInfo, type PlanInfo } from './plan-info.ts';
import { LaunchedRun, type CallOptions } from './run.ts';
import { translated } from './translate.ts';
import type { AnyWorkflowType, InputsOf, OutputsOf, WorkflowType } from './types.ts';

/** How to launch a plan. */
export interface LaunchOptions extends CallOptions, LaunchName, LaunchSettings {
  /**
   * What is changed of the steps' pods, by step and `*` for all of them: parts of a pod template, and as `job` of the Job around the pod where a step
   * runs as one. Merged over `env`, `labels` and the others of these settings. @default nothing
   */
  readonly override?: RunOverride;
}

/** A launch plan of the workflow `W`, which need not be there yet. */
export class Plan<W extends WorkflowType = AnyWorkflowType> {
  readonly name: string;
  readonly #client: KubeClient;

  /** @internal */
  constructor(client: KubeClient, name: string) {
    this.#client = client;
    this.name = name;
  }

  /** How it stands. @throws WorkflowsError when there is no such plan */
  get({ signal }: CallOptions = {}): Promise<PlanInfo> {
    return translated(async () => planInfo(await findPlan(this.#client, this.name, { signal })));
  }

  /**
   * Starts a run with these inputs over those of the plan, also when the plan is not active. They are checked against the workflow's
   * schema before anything is created.
   *
   * @throws WorkflowsError with everything that is wrong: inputs that are unknown, fixed by the plan, missing or of another type, and settings
   */
  launch(inputs: InputsOf<W> = {} as InputsOf<W>, options: LaunchOptions = {}): Promise<LaunchedRun<OutputsOf<W>>> {
    return translated(async () => {
      const { launchRun } = await import('../runs/launch-run.ts');
      const given = Object.entries(inputs ?? {}).filter(([, value]) => value !== undefined);
      const { signal, name, idempotencyKey, override, ...settings } = options;
      const { job, created } = await launchRun(this.#client, {
        ...{ signal, name, idempotencyKey, override, settings },
        plan: this.name,
        inputs: Object.fromEntries(given) as JsonObject,
        at: (input) => `inputs.${input}`,
      });
      return new LaunchedRun<OutputsOf<W>>(this.#client, job, created);
    });
  }

  /** Lets its schedule start runs. It stays so, also when the plan is applied or updated. Says whether it was not active before. */
  activate(options: CallOptions = {}): Promise<boolean> {
    return this.#switch(true, options);
  }

  /** Keeps its schedule from starting runs. Those that there are go on, and launching works. Says whether it was active before. */
  deactivate(options: CallOptions = {}): Promise<boolean> {
    return this.#switch(false, options);
  }

  #switch(active: boolean, { signal }: CallOptions): Promise<boolean> {
    return translated(async () => {
      return switchPlan(this.#client, await findPlan(this.#client, this.name, { signal }), active, signal);
    });
  }
}
