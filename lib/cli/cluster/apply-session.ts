import type { ApplyHolder } from '../../fleet/apply-lease.ts';
import { applyFailure } from '../../fleet/apply-failure.ts';
import type { ApplyPlan } from '../../fleet/apply-plan.ts';
import { planCluster } from '../../fleet/cluster-plan.ts';
import { executePlan } from '../../fleet/execute-plan.ts';
import type { PruneLimit } from '../../fleet/prune-limit.ts';
import type { KubeClient } from '../../kube/client.ts';
import { packageVersion } from '../version.ts';
import type { LoadedTarget } from './apply-directories.ts';
import type { AppliedTarget } from './apply-view.ts';
import { connectTarget } from './target-client.ts';

/** What `apply` and `diff` say about every target. */
export interface SessionOptions {
  readonly kubeconfig?: string;
  readonly allowInsecure?: boolean;
  readonly prune?: boolean;
  readonly pruneLimit?: PruneLimit;
  readonly yesDelete?: boolean;
  readonly forceConflicts?: boolean;
}

/** One target while it is planned and applied. */
export class ApplySession {
  readonly target: LoadedTarget;
  readonly #options: SessionOptions;
  #client: KubeClient | undefined;
  plan: ApplyPlan = { objects: [] };

  constructor(target: LoadedTarget, options: SessionOptions) {
    this.target = target;
    this.#options = options;
  }

  /** The context, or what was asked for when there is no such one. */
  get context(): string {
    return this.#client?.context ?? this.target.context ?? '';
  }

  /** The namespace of objects that name none. */
  get namespace(): string {
    return this.#client?.namespace ?? this.target.namespace ?? '';
  }

  /** Connects, and finds out what is to be done. What stands in the way is in the plan. */
  async prepare(signal: AbortSignal): Promise<void> {
    const { kubeconfig, allowInsecure, prune, pruneLimit, yesDelete, forceConflicts } = this.#options;
    const { context, namespace, inventory, cluster, manifests } = this.target;
    try {
      this.#client = await connectTarget({ kubeconfig, allowInsecure, context, namespace });
      this.plan = await planCluster(this.#client, manifests, {
        signal,
        force: forceConflicts,
        prune,
        pruneLimit,
        yesDelete,
        ...(inventory !== undefined && {
          inventory: { name: inventory, namespace: this.#client.namespace, ...(cluster !== undefined && { cluster }) },
        }),
      });
    } catch (error) {
      signal.throwIfAborted();
      this.plan = { objects: [], failure: applyFailure(error) };
    }
  }

  /** Does what the plan says. */
  async apply(options: {
    readonly dryRun: boolean;
    readonly holder: ApplyHolder;
    readonly signal: AbortSignal;
    readonly onProgress: (done: number) => void;
    readonly onWaiting: (holder: string) => void;
  }): Promise<AppliedTarget> {
    const { cluster, directory } = this.target;
    const version = packageVersion();
    const force = this.#options.forceConflicts;
    const result =
      this.#client === undefined || this.plan.failure !== undefined
        ? { objects: [], failure: this.plan.failure }
        : await executePlan(this.#client, this.plan, { ...options, force, version });
    return { cluster, context: this.context, directory, ...result };
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await this.#client?.close();
  }
}
