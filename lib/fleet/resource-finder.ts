import type { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import * as known from '../kube/resources.ts';
import { apiVersionOf, resource, type Resource } from '../kube/resources.ts';

interface ResourceList {
  readonly resources?: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

const builtIn = new Map(
  Object.values(known)
    .filter((value) => typeof value === 'object')
    .map((of) => [`${apiVersionOf(of)}/${of.kind}`, of]),
);

/** Finds where kinds live in the API of one cluster. Asks it only about kinds that are not built in, once for each group. */
export class ResourceFinder {
  readonly #client: KubeClient;
  readonly #groups = new Map<string, Promise<ResourceList>>();

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** The resource of a kind, or nothing when the cluster does not have it. */
  async find(apiVersion: string, kind: string, signal?: AbortSignal): Promise<Resource | undefined> {
    const own = builtIn.get(`${apiVersion}/${kind}`);
    if (own !== undefined) return own;
    const { resources = [] } = await this.#group(apiVersion, signal);
    const found = resources.find((entry) => entry.kind === kind && !entry.name.includes('/'));
    return found && resource(apiVersion, kind, found.name, { namespaced: found.namespaced });
  }

  #group(apiVersion: string, signal: AbortSignal | undefined): Promise<ResourceList> {
    let group = this.#groups.get(apiVersion);
    if (group === undefined) {
      const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
      const subject = { verb: 'read', object: `the kinds of ${apiVersion}` };
      group = this.#client.request<ResourceList>('GET', path, { signal, subject }).catch((error: unknown) => {
        // An unknown group is 404 without a reason: there is no object that could be missing.
        if (error instanceof KubeError && error.code === 404) return {};
        throw error;
      });
      this.#groups.set(apiVersion, group);
    }
    return group;
  }
}
