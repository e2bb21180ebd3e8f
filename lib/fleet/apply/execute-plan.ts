import { randomUUID } from 'node:crypto';
import type { KubeClient } from '../../kube/client.ts';
import { ConnectionError, isNotFound } from '../../kube/errors.ts';
import { configMaps } from '../../kube/resources.ts';
import { applyFailure } from './apply-failure.ts';
import { applyObject } from './apply-object.ts';
import { ApplyLockedError, withApplyLease, type ApplyHolder } from './apply-lease.ts';
import type { ApplyPlan, PlannedInventory, PlannedObject } from './apply-plan.ts';
import type { AppliedObject, ApplyFailure, ApplyResult } from './apply-result.ts';
import { inventoryId, parentManifest, parentName, type Scope } from './applyset.ts';
import { stagesOf, type Write } from './apply-stages.ts';
import { APPLY_MANAGER } from './field-managers.ts';
import { findNeeded } from '../prune/find-needed.ts';
import { inParallel } from '../in-parallel.ts';
import { mayBeNeeded } from '../prune/needed-objects.ts';
import { objectKey } from '../object-key.ts';
import { outcomeOf } from './outcome.ts';
import { prune } from '../prune/prune.ts';

/** How to carry out a plan. */
export interface ExecuteOptions {
  /** Let the cluster check everything and write nothing. @default false */
  readonly dryRun?: boolean;
  /** Take fields that another manager set. @default false */
  readonly force?: boolean;
  /** Requests at a time. @default 16 */
  readonly concurrency?: number;
  /** Who holds the lease while the inventory and what it lists are written. @default somebody without a name */
  readonly holder?: ApplyHolder;
  /** Of this program, for the inventory. @default '0.0.0' */
  readonly version?: string;
  readonly signal?: AbortSignal;
  /** Called after every object that is written. */
  readonly onProgress?: (done: number) => void;
  /** Called when a lease is waited for, with who had it. */
  readonly onWaiting?: (holder: string) => void;
}

/**
 * Writes what a plan says, in its stages. After an object has failed, those of later stages are only checked (by a dry run), so that all
 * that is wrong is known at once, and nothing is deleted. Interrupted anywhere, the next plan finds what is left to do.
 *
 * @throws the signal's reason when it is aborted
 */
export async function executePlan(
  client: KubeClient,
  plan: ApplyPlan,
  options: ExecuteOptions = {},
): Promise<ApplyResult> {
  return new Execution(client, plan, options).run();
}

class Execution {
  readonly #client: KubeClient;
  readonly #plan: ApplyPlan;
  readonly #options: ExecuteOptions;
  readonly #newNamespaces: ReadonlySet<string>;
  readonly #outcomes = new Map<PlannedObject, AppliedObject>();
  /** What came to be needed after the plan was made, once that is known. */
  #needed: ReadonlyMap<string, ApplyFailure> | undefined;
  #signal: AbortSignal | undefined;
  #failed: boolean;
  #lost: ApplyFailure | undefined;

  constructor(client: KubeClient, plan: ApplyPlan, options: ExecuteOptions) {
    this.#client = client;
    this.#plan = plan;
    this.#options = options;
    this.#signal = options.signal;
    const created = plan.objects.filter(({ action, object }) => action === 'create' && object.kind === 'Namespace');
    this.#newNamespaces = new Set(created.map(({ object }) => object.metadata.name));
    this.#failed = plan.objects.some(({ action }) => action === 'refuse');
  }

  async run(): Promise<ApplyResult> {
    if (this.#plan.failure) return { objects: [], failure: this.#plan.failure };
    const stages = stagesOf(this.#plan);
    try {
      const { inventory } = this.#plan;
      if (inventory === undefined || this.#writesNothing || stages.length === 0) await this.#perform(stages);
      else await this.#locked(inventory, stages);
      return { objects: this.#results() };
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (error instanceof ApplyLockedError) return { objects: [], failure: error.failure };
      return { objects: this.#results(), failure: error instanceof StaleError ? stale : applyFailure(error) };
    }
  }

  get #dryRun(): boolean {
    return this.#options.dryRun ?? false;
  }

  get #writesNothing(): boolean {
    return this.#dryRun || this.#failed;
  }

  get #keptAfterAll(): boolean {
    return this.#plan.objects.some(
      ({ action, object }) => action === 'delete' && this.#needed?.has(objectKey(object)) === true,
    );
  }

  async #locked(inventory: PlannedInventory, stages: readonly (readonly Write[])[]): Promise<void> {
    const { holder = { identity: randomUUID() }, signal, onWaiting } = this.#options;
    const first = stages.findIndex((stage) => stage.some(({ kind }) => kind === 'record'));
    // Before the inventory there is only the namespace that it and the lease are in.
    const home = first > 0 ? stages.slice(0, first) : [];
    await this.#perform(home);
    if (this.#failed && home.length > 0) return;
    const { namespace } = inventory.ref;
    const lease = { name: parentName(inventory.ref), namespace, holder, signal, onWaiting };
    await withApplyLease(this.#client, lease, async (held) => {
      this.#signal = held;
      await this.#verify(inventory);
      await this.#perform(stages.slice(home.length));
    });
  }

  /** Between the plan and the lease somebody else may have applied. */
  async #verify({ ref, before }: PlannedInventory): Promise<void> {
    const now = await this.#client
      .get(configMaps, parentName(ref), { namespace: ref.namespace, signal: this.#signal })
      .catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
    if (now?.metadata.resourceVersion !== before?.resourceVersion) throw new StaleError();
  }

  async #perform(stages: readonly (readonly Write[])[]): Promise<void> {
    const { concurrency = 16, onProgress } = this.#options;
    for (const stage of stages) {
      // Taken once for a stage: what is written in parallel does not depend on each other.
      const checkOnly = this.#failed;
      if (!this.#writesNothing && stage.some(isNeedful))
        this.#needed ??= await findNeeded(this.#client, this.#plan, this.#signal);
      await inParallel(stage, concurrency, async (write) => {
        if (write.kind === 'record') return this.#record(write.scope, checkOnly);
        const { planned } = write;
        const outcome = write.kind === 'apply' ? await this.#apply(planned, checkOnly) : await this.#delete(planned);
        this.#outcomes.set(planned, { ...named(planned), ...outcome });
        if (outcome.outcome === 'failed') this.#failed = true;
        onProgress?.(this.#outcomes.size);
      });
    }
  }

  async #record(scope: Scope, checkOnly: boolean): Promise<void> {
    const { inventory } = this.#plan;
    // After an error nothing more is written or deleted, so the inventory need not grow and must not shrink.
    if (inventory === undefined || this.#dryRun || checkOnly) return;
    // What is kept after all stays in the inventory.
    if (scope === inventory.after && this.#keptAfterAll) return;
    const { ref } = inventory;
    const manifest = parentManifest(ref, scope, this.#options.version ?? '0.0.0');
    await this.#client.patch(configMaps, parentName(ref), manifest, {
      type: 'apply',
      namespace: ref.namespace,
      fieldManager: APPLY_MANAGER,
      force: true,
      signal: this.#signal,
    });
  }

  async #apply(planned: PlannedObject, checkOnly: boolean): Promise<Outcome> {
    const { object, resource, live, reason } = planned;
    const failure = reason ?? this.#lost;
    if (failure !== undefined || resource === undefined) return { outcome: 'failed', failure };
    const dryRun = this.#dryRun || checkOnly;
    try {
      const { force } = this.#options;
      const after = await applyObject(this.#client, planned, { force, dryRun, signal: this.#signal });
      const outcome = outcomeOf(live, after, { dryRun, manager: APPLY_MANAGER });
      return { outcome: checkOnly && outcome !== 'unchanged' ? 'skipped' : outcome };
    } catch (error) {
      // A dry run does not create the namespace in which the next dry run would look.
      if (dryRun && isNotFound(error) && this.#newNamespaces.has(object.metadata.namespace ?? '')) {
        return { outcome: checkOnly ? 'skipped' : 'created' };
      }
      return this.#failure(error);
    }
  }

  async #delete(planned: PlannedObject): Promise<Outcome> {
    const { inventory } = this.#plan;
    if (this.#failed) return { outcome: 'kept', reason: afterError };
    const { object, resource } = planned;
    const reason = this.#needed?.get(objectKey(object));
    if (reason !== undefined) return { outcome: 'kept', reason };
    const id = inventoryId(inventory!.ref);
    try {
      return await prune(
        this.#client,
        { object, resource: resource! },
        { id, dryRun: this.#dryRun, signal: this.#signal },
      );
    } catch (error) {
      return this.#failure(error);
    }
  }

  #failure(error: unknown): Outcome {
    this.#signal?.throwIfAborted();
    const failure = applyFailure(error);
    // Without this every further object would wait for its own time-out.
    if (error instanceof ConnectionError) this.#lost = failure;
    return { outcome: 'failed', failure };
  }

  /** In the order of the plan. */
  #results(): AppliedObject[] {
    return this.#plan.objects.flatMap((planned) => {
      const done = this.#outcomes.get(planned);
      if (done !== undefined) return [done];
      if (planned.action === 'unchanged') return [{ ...named(planned), outcome: 'unchanged' as const }];
      if (planned.action === 'keep') return [{ ...named(planned), outcome: 'kept' as const, reason: planned.reason }];
      return [];
    });
  }
}

function named({ object: { kind, metadata }, source, held }: PlannedObject) {
  const name = metadata.name ?? metadata.generateName;
  return { kind, name, namespace: metadata.namespace, source, ...(held && { held }) };
}

type Outcome = Pick<AppliedObject, 'outcome' | 'failure' | 'reason'>;

const afterError: ApplyFailure = { message: 'is kept: nothing is deleted after an error' };

/** Plans are deleted first: once they are gone, they start no more runs that may need what is left. */
function isNeedful(write: Write): boolean {
  return write.kind === 'delete' && write.planned.object.kind !== 'CronJob' && mayBeNeeded(write.planned.object);
}

class StaleError extends Error {}

const stale: ApplyFailure = {
  message: 'somebody else applied this inventory after the plan was made',
  fix: 'apply again',
};
