import type { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import * as known from '../kube/resources.ts';
import { groupKindOfResource, type GroupKind } from './object-key.ts';
import { apiVersionOf, resource, type Resource } from '../kube/resources.ts';

interface ResourceList {
  readonly resources?: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

interface ApiGroup {
  readonly preferredVersion: { readonly groupVersion: string };
}

const resources = Object.values(known).filter((value) => typeof value === 'object');
const builtIn = new Map(resources.map((of) => [`${apiVersionOf(of)}/${of.kind}`, of]));
const builtInByGroup = new Map(resources.map((of) => [groupKindOfResource(of), of]));

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

  /** The resource of a kind as an ApplySet names it, such as `CronJob.batch`, in the version that the cluster prefers. */
  async findGroupKind(groupKind: GroupKind, signal?: AbortSignal): Promise<Resource | undefined> {
    const own = builtInByGroup.get(groupKind);
    if (own !== undefined) return own;
    const dot = groupKind.indexOf('.');
    if (dot < 0) return this.find('v1', groupKind, signal);
    const group = groupKind.slice(dot + 1);
    const subject = { verb: 'read', object: `the versions of ${group}` };
    try {
      const { preferredVersion } = await this.#client.request<ApiGroup>('GET', `/apis/${group}`, { signal, subject });
      return await this.find(preferredVersion.groupVersion, groupKind.slice(0, dot), signal);
    } catch (error) {
      if (error instanceof KubeError && error.code === 404) return undefined;
      throw error;
    }
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
