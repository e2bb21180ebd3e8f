import type { KubeClient } from '../../kube/client.ts';
import { applyFailure } from './apply-failure.ts';
import { planApply, type ApplyPlan, type DesiredObject, type PlanOptions } from './apply-plan.ts';
import type { ApplyFailure, Manifest } from './apply-result.ts';
import { findNeeded } from '../prune/find-needed.ts';
import { manifestFailure, repeatedManifests } from './manifest-checks.ts';
import { InventoryError, observe } from './observe.ts';
import { ResourceFinder } from '../resource-finder.ts';

/** How to plan for one cluster. */
export interface ClusterPlanOptions extends PlanOptions {
  /** For objects that name no namespace. @default the client's */
  readonly namespace?: string;
  readonly signal?: AbortSignal;
}

/**
 * Reads a cluster and says what an apply would do there. It writes nothing.
 *
 * @throws the signal's reason when it is aborted
 */
export async function planCluster(
  client: KubeClient,
  manifests: readonly Manifest[],
  options: ClusterPlanOptions = {},
): Promise<ApplyPlan> {
  const { signal, namespace = client.namespace } = options;
  const finder = new ResourceFinder(client);
  try {
    const items = repeatedManifests(manifests.map((manifest) => ({ ...manifest, failure: manifestFailure(manifest) })));
    const desired = await Promise.all(items.map((item) => locate(item, finder, namespace, signal)));
    const observed = await observe(client, finder, desired, options.inventory, signal);
    const plan = planApply(desired, observed, options);
    const needed = await findNeeded(client, plan, signal);
    return needed.size === 0 ? plan : planApply(desired, { ...observed, needed }, options);
  } catch (error) {
    signal?.throwIfAborted();
    return { objects: [], failure: error instanceof InventoryError ? error.failure : applyFailure(error) };
  }
}

/** Fills in the namespace, and finds out where the kind lives. */
async function locate(
  item: Manifest & { readonly failure?: ApplyFailure },
  finder: ResourceFinder,
  defaultNamespace: string,
  signal: AbortSignal | undefined,
): Promise<DesiredObject> {
  if (item.failure) return item;
  const { apiVersion, kind, metadata } = item.object;
  const resource = await finder.find(apiVersion, kind, signal);
  if (resource === undefined) {
    const fix = 'install its CustomResourceDefinition there, or correct apiVersion and kind';
    return { ...item, failure: { message: `the cluster has no kind ${kind} in ${apiVersion}`, fix } };
  }
  if (!resource.namespaced) return { ...item, resource };
  const namespace = metadata.namespace ?? defaultNamespace;
  return { ...item, resource, object: { ...item.object, metadata: { ...metadata, namespace } } };
}
