import { neededBy } from '../../../graph/old-versions.ts';
import type { Graph } from '../../../graph/graph.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { isNotFound } from '../../../kube/errors.ts';
import { configMaps, podTemplates, type Resource } from '../../../kube/resources.ts';
import type { Problem } from '../../../values/problems.ts';

/** Looks whether all that a version needs is on the cluster: once for each object, however many plans there are. */
export class VersionParts {
  readonly #client: KubeClient;
  readonly #looked = new Map<string, Promise<readonly Problem[]>>();

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** What of the objects that a graph needs is gone. */
  async problems(graph: Graph, namespace: string | undefined): Promise<readonly Problem[]> {
    const { templates, graphs } = neededBy(graph);
    const all = await Promise.all([
      ...templates.map((name) => this.#missing(podTemplates, name, namespace)),
      ...graphs.map((name) => this.#missing(configMaps, name, namespace)),
    ]);
    return all.flat();
  }

  #missing(of: Resource, name: string, namespace: string | undefined): Promise<readonly Problem[]> {
    const key = `${of.kind} ${namespace}/${name}`;
    const known = this.#looked.get(key) ?? this.#look(of, name, namespace);
    this.#looked.set(key, known);
    return known;
  }

  async #look(of: Resource, name: string, namespace: string | undefined): Promise<readonly Problem[]> {
    try {
      await this.#client.get(of, name, { namespace });
      return [];
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return [{ path: `${of.kind} ${name}`, message: 'is gone', fix: 'apply that version again from its source' }];
    }
  }
}
