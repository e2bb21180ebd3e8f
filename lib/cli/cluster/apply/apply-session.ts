import type { ApplyHolder } from '../../../fleet/apply/apply-lease.ts';
import { applyFailure } from '../../../fleet/apply/apply-failure.ts';
import { isApplied, type ApplyFailure, type ApplyResult } from '../../../fleet/apply/apply-result.ts';
import type { ApplyPlan } from '../../../fleet/apply/apply-plan.ts';
import { isDone } from '../../../fleet/apply/apply-stages.ts';
import type { Canary } from '../../../fleet/canary.ts';
import { planPermissions } from '../../../fleet/preflight/check-permissions.ts';
import { checkNames, type CheckResult } from '../../../fleet/preflight/check-result.ts';
import { planCluster } from '../../../fleet/apply/cluster-plan.ts';
import { diffCluster } from '../../../fleet/apply/diff-cluster.ts';
import { identityProblem } from '../../../fleet/cluster-identity.ts';
import { clusterUid } from '../../../fleet/preflight/check-server.ts';
import { executePlan } from '../../../fleet/apply/execute-plan.ts';
import { findOrphans, type Orphan } from '../../../fleet/prune/orphans.ts';
import { preflight } from '../../../fleet/preflight/preflight.ts';
import type { PruneLimit } from '../../../fleet/prune/prune-limit.ts';
import { waitUntilReady } from '../../../fleet/apply/wait-until-ready.ts';
import type { KubeClient } from '../../../kube/client.ts';
import type { InventoryRef } from '../../../fleet/apply/applyset.ts';
import { packageVersion } from '../../version.ts';
import type { LoadedTarget } from './apply-directories.ts';
import type { AppliedTarget } from './apply-view.ts';
import type { DiffedTarget } from './diff-view.ts';
import { KNOWN_CLUSTERS, type KnownClusters } from './known-clusters.ts';
import { connectTarget } from './target-client.ts';

/** What `apply` and `diff` say about every target. */
export interface SessionOptions {
  readonly kubeconfig?: string;
  readonly allowInsecure?: boolean;
  readonly prune?: boolean;
  readonly pruneLimit?: PruneLimit;
  readonly yesDelete?: boolean;
  readonly forceConflicts?: boolean;
  readonly canary?: Canary;
}

/** Every write is admitted by a dry run of its own, or as it is done. */
const applyChecks = checkNames.filter((name) => name !== 'admission');

/** One target while it is planned and applied. */
export class ApplySession {
  readonly target: LoadedTarget;
  readonly #options: SessionOptions;
  readonly #known: KnownClusters;
  #client: KubeClient | undefined;
  #uid: string | undefined;
  plan: ApplyPlan = { objects: [] };
  /** What was looked at before something is to be written. */
  checks: readonly CheckResult[] = [];
  /** What is of this project on the cluster and of nobody. */
  orphans: readonly Orphan[] = [];

  constructor(target: LoadedTarget, options: SessionOptions, known: KnownClusters) {
    this.target = target;
    this.#options = options;
    this.#known = known;
  }

  /** What people call it. */
  get title(): string {
    return this.target.cluster ?? this.target.directory;
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
    const { kubeconfig, allowInsecure, prune, pruneLimit, yesDelete, forceConflicts, canary } = this.#options;
    const { context, namespace, manifests } = this.target;
    try {
      this.#client = await connectTarget({ kubeconfig, allowInsecure, context, namespace });
      const failure = await this.#identify(this.#client, signal);
      if (failure !== undefined) {
        this.plan = { objects: [], failure };
        return;
      }
      this.plan = await planCluster(this.#client, manifests, {
        signal,
        force: forceConflicts,
        prune,
        pruneLimit,
        yesDelete,
        canary,
        inventory: inventoryOf(this.target, this.#client),
      });
    } catch (error) {
      signal.throwIfAborted();
      this.plan = { objects: [], failure: applyFailure(error) };
    }
  }

  /** Looks at the cluster, if something is to be written to it. */
  async check(signal: AbortSignal): Promise<void> {
    if (this.#client === undefined || this.plan.failure !== undefined || isDone(this.plan)) return;
    this.checks = await preflight(this.#client, { namespace: this.namespace }, this.target.manifests, {
      version: packageVersion(),
      now: Date.now(),
      checks: applyChecks,
      permissions: planPermissions(this.plan),
      signal,
    });
  }

  /** Looks for what nobody would delete, unless it is not known what is to be applied. */
  async findOrphans(signal: AbortSignal): Promise<void> {
    if (this.#client === undefined || this.plan.failure !== undefined) return;
    this.orphans = await findOrphans(this.#client, this.plan, this.namespace, signal);
  }

  /** Nothing is written, for a reason that was found after the plan was made. */
  forbid(failure: ApplyFailure): void {
    this.plan = { ...this.plan, failure };
  }

  /** Does what the plan says. */
  async apply(options: {
    readonly dryRun: boolean;
    readonly holder: ApplyHolder;
    readonly signal: AbortSignal;
    readonly onProgress: (done: number) => void;
    readonly onWaiting: (holder: string) => void;
    /** Wait until all is ready, so many milliseconds. @default it is not waited for */
    readonly readyWithinMs?: number;
    /** Called with what is not ready yet. */
    readonly onNotReady: (names: readonly string[]) => void;
  }): Promise<AppliedTarget> {
    const { cluster, directory } = this.target;
    const version = packageVersion();
    const force = this.#options.forceConflicts;
    const result =
      this.#client === undefined || this.plan.failure !== undefined
        ? { objects: [], failure: this.plan.failure }
        : await executePlan(this.#client, this.plan, { ...options, force, version });
    if (this.#uid !== undefined && !options.dryRun && result.failure === undefined) {
      await this.#known.remember(this.target, this.#uid);
    }
    const objects = await this.#waited(result, options);
    return { cluster, context: this.context, directory, ...result, objects, orphans: this.orphans };
  }

  /** The objects of a result; of what is not ready in time, with why. */
  async #waited(
    result: ApplyResult,
    { dryRun, readyWithinMs: timeoutMs, onNotReady: onWaiting, signal }: Parameters<ApplySession['apply']>[0],
  ): Promise<ApplyResult['objects']> {
    if (this.#client === undefined || timeoutMs === undefined || dryRun || !isApplied(result)) return result.objects;
    const late = await waitUntilReady(this.#client, this.plan, { timeoutMs, signal, onWaiting });
    return result.objects.map((done) => {
      const { kind, name, namespace } = done;
      const found = late.find(
        ({ object: { kind: of, metadata } }) =>
          of === kind && metadata.name === name && metadata.namespace === namespace,
      );
      return found === undefined ? done : { ...done, notReady: found.failure };
    });
  }

  /** Why the cluster is not the one that the target is for, or nothing. */
  async #identify(client: KubeClient, signal: AbortSignal): Promise<ApplyFailure | undefined> {
    const { cluster, uid: declared } = this.target;
    if (cluster === undefined) return undefined;
    this.#uid = await clusterUid(client, signal);
    const remembered = await this.#known.uidOf(this.target);
    return identityProblem({
      cluster,
      context: client.context,
      found: this.#uid,
      declared,
      remembered,
      file: KNOWN_CLUSTERS,
    });
  }

  /** What the plan would change, field by field. */
  async diff(signal: AbortSignal): Promise<DiffedTarget> {
    const { cluster, directory } = this.target;
    const about = { cluster, context: this.context, directory };
    const { failure } = this.plan;
    if (this.#client === undefined || failure !== undefined)
      return { ...about, objects: [], ...(failure && { failure }) };
    const options = { force: this.#options.forceConflicts, signal };
    return { ...about, objects: await diffCluster(this.#client, this.plan, options) };
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await this.#client?.close();
  }
}

/** The inventory of a target, which is in the namespace of objects that name none. */
export function inventoryOf(
  { inventory, cluster }: LoadedTarget,
  { namespace }: Pick<KubeClient, 'namespace'>,
): InventoryRef | undefined {
  return inventory === undefined
    ? undefined
    : { name: inventory, namespace, ...(cluster !== undefined && { cluster }) };
}
