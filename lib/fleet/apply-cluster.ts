import type { KubeClient } from '../kube/client.ts';
import { ConnectionError, isNotFound } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { applyFailure } from './apply-failure.ts';
import { inApplyOrder } from './apply-order.ts';
import type { AppliedObject, ApplyFailure, ApplyResult, Manifest } from './apply-result.ts';
import { existingKey, existingObjects, type Located } from './existing-objects.ts';
import { APPLY_MANAGER } from './field-managers.ts';
import { inParallel } from './in-parallel.ts';
import { manifestFailure, repeatedManifests } from './manifest-checks.ts';
import { isUnchangedVersion, outcomeOf } from './outcome.ts';
import { ResourceFinder } from './resource-finder.ts';

/** How to apply. */
export interface ApplyOptions {
  /** For objects that name no namespace. @default the client's */
  readonly namespace?: string;
  /** Let the cluster check everything and write nothing. @default false */
  readonly dryRun?: boolean;
  /** Take fields that another manager set. @default false */
  readonly force?: boolean;
  /** Requests at a time. @default 8 */
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
  /** Called after every object. */
  readonly onProgress?: (done: number, all: number) => void;
}

/**
 * Writes manifests to one cluster by server-side apply, in the order of {@link inApplyOrder}. Nothing is deleted. After an
 * object has failed, those of later groups are only checked (by a dry run), so that all that is wrong is known at once and no plan
 * is written whose graph is missing. Running it again finishes what was interrupted.
 *
 * @throws the signal's reason when it is aborted
 */
export async function applyCluster(
  client: KubeClient,
  manifests: readonly Manifest[],
  options: ApplyOptions = {},
): Promise<ApplyResult> {
  return new Application(client, options).run(manifests);
}

interface Item extends Manifest {
  /** Set when it is known before any request that it cannot be applied. */
  readonly failure?: ApplyFailure;
}

class Application {
  readonly #client: KubeClient;
  readonly #options: ApplyOptions;
  readonly #finder: ResourceFinder;
  #existing: ReadonlyMap<string, KubeObject> = new Map();
  #newNamespaces = new Set<string>();
  #failed = false;
  #lost: ApplyFailure | undefined;

  constructor(client: KubeClient, options: ApplyOptions) {
    this.#client = client;
    this.#options = options;
    this.#finder = new ResourceFinder(client);
  }

  async run(manifests: readonly Manifest[]): Promise<ApplyResult> {
    const { signal, concurrency = 8, onProgress } = this.#options;
    const wellFormed = repeatedManifests(
      manifests.map((manifest) => ({ ...manifest, failure: manifestFailure(manifest) })),
    );
    try {
      const items = await Promise.all(wellFormed.map((item) => this.#locate(item)));
      this.#existing = await existingObjects(this.#client, items.filter(isLocated), signal);
      const namespaces = items
        .filter(({ object }) => object.kind === 'Namespace')
        .map(({ object }) => object.metadata.name);
      this.#newNamespaces = new Set(namespaces.filter((name) => !this.#existing.has(`Namespace ${name}`)));
      this.#failed = items.some(({ failure }) => failure !== undefined);
      const objects: AppliedObject[] = [];
      let done = 0;
      for (const group of inApplyOrder(items)) {
        // Taken once for a group: what is written in parallel does not depend on each other.
        const checkOnly = this.#failed;
        const applied = await inParallel(group, concurrency, async (item) => {
          const result = await this.#apply(item, checkOnly);
          onProgress?.(++done, items.length);
          return result;
        });
        objects.push(...applied);
        this.#failed ||= applied.some(({ outcome }) => outcome === 'failed');
      }
      return { objects };
    } catch (error) {
      signal?.throwIfAborted();
      return { objects: [], failure: applyFailure(error) };
    }
  }

  /** Fills in the namespace, and finds out where the kind lives. */
  async #locate(item: Item): Promise<Item & Partial<Located>> {
    if (item.failure) return item;
    const { apiVersion, kind, metadata } = item.object;
    const resource = await this.#finder.find(apiVersion, kind, this.#options.signal);
    if (resource === undefined) {
      const fix = 'install its CustomResourceDefinition there, or correct apiVersion and kind';
      return { ...item, failure: { message: `the cluster has no kind ${kind} in ${apiVersion}`, fix } };
    }
    if (!resource.namespaced) return { ...item, resource };
    const namespace = metadata.namespace ?? this.#options.namespace ?? this.#client.namespace;
    return { ...item, resource, object: { ...item.object, metadata: { ...metadata, namespace } } };
  }

  async #apply(item: Item & Partial<Located>, checkOnly: boolean): Promise<AppliedObject> {
    const { object, source, resource } = item;
    const { name, namespace } = object.metadata;
    const result = { kind: object.kind, name, namespace, source };
    const failure = item.failure ?? this.#lost;
    if (failure !== undefined || resource === undefined) return { ...result, outcome: 'failed', failure };
    const before = this.#existing.get(existingKey(object));
    if (isUnchangedVersion(object, before)) return { ...result, outcome: 'unchanged' };
    const dryRun = (this.#options.dryRun ?? false) || checkOnly;
    try {
      const { force = false, signal } = this.#options;
      const after = await this.#client.patch(resource, name, object, {
        type: 'apply',
        namespace,
        fieldManager: APPLY_MANAGER,
        fieldValidation: 'Strict',
        force,
        dryRun,
        signal,
      });
      const outcome = outcomeOf(before, after, { dryRun, manager: APPLY_MANAGER });
      return { ...result, outcome: checkOnly && outcome !== 'unchanged' ? 'skipped' : outcome };
    } catch (error) {
      // A dry run does not create the namespace in which the next dry run would look.
      if (dryRun && isNotFound(error) && this.#newNamespaces.has(namespace ?? '')) {
        return { ...result, outcome: checkOnly ? 'skipped' : 'created' };
      }
      this.#options.signal?.throwIfAborted();
      const reason = applyFailure(error);
      // Without this every further object would wait for its own time-out.
      if (error instanceof ConnectionError) this.#lost = reason;
      return { ...result, outcome: 'failed', failure: reason };
    }
  }
}

function isLocated(item: Item & Partial<Located>): item is Item & Located {
  return item.failure === undefined && item.resource !== undefined;
}
