import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { Resource } from '../../kube/resources.ts';
import type { Manifest } from '../apply/apply-result.ts';
import { CONTROLLER_LEASE } from './controller-lease.ts';
import { manifestFailure } from '../apply/manifest-checks.ts';
import { ResourceFinder } from '../resource-finder.ts';

/** An object and where its kind lives; without that for a kind that the cluster does not have. */
export interface LocatedObject {
  readonly object: KubeObject;
  readonly resource?: Resource;
}

export function isLocated(located: LocatedObject): located is Required<LocatedObject> {
  return located.resource !== undefined;
}

/** The manifests that can be written at all, with their namespaces filled in. What is wrong with the others admission tells. */
export function objectsOf(manifests: readonly Manifest[], namespace: string): KubeObject[] {
  return manifests
    .filter((manifest) => manifestFailure(manifest) === undefined)
    .map(({ object }) => ({ ...object, metadata: { namespace, ...object.metadata } }));
}

/** The objects, each with where its kind lives. */
export async function locateObjects(
  client: KubeClient,
  objects: readonly KubeObject[],
  signal?: AbortSignal,
): Promise<LocatedObject[]> {
  const finder = new ResourceFinder(client);
  return Promise.all(
    objects.map(async (object) => {
      const resource = await finder.find(object.apiVersion, object.kind, signal);
      return { object, ...(resource && { resource }) };
    }),
  );
}

/** The namespaces that objects go to, and those that are among the objects. */
export function namespacesOf(located: readonly LocatedObject[]): { wanted: string[]; brought: ReadonlySet<string> } {
  const wanted = located.filter(({ resource }) => resource?.namespaced).map(({ object }) => object.metadata.namespace!);
  const brought = located.filter(({ object }) => object.kind === 'Namespace').map(({ object }) => object.metadata.name);
  return { wanted: [...new Set(wanted)].sort(), brought: new Set(brought) };
}

/** Whether the controller is among the objects. */
export function bringsController(objects: readonly KubeObject[]): boolean {
  return objects.some(({ kind, metadata }) => kind === 'Deployment' && metadata.name === CONTROLLER_LEASE);
}
