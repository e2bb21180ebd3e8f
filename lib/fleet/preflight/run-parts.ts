import { decodeGraph, type GraphData } from '../../graph/config-map.ts';
import { annotations, labels } from '../../graph/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isForbidden, isNotFound } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { configMaps, cronJobs, podTemplates, type Resource } from '../../kube/resources.ts';

/** What a run is made of on its cluster: graphs, pod templates, and the plans and graphs of the runs that its steps are. */
export async function runParts(client: KubeClient, run: KubeObject, signal?: AbortSignal): Promise<KubeObject[]> {
  const reader = new RunReader(client, run.metadata.namespace, signal);
  await reader.addGraph(run.metadata.annotations?.[annotations.graph]);
  return reader.objects;
}

class RunReader {
  readonly objects: KubeObject[] = [];
  readonly #client: KubeClient;
  readonly #where: { readonly namespace?: string; readonly signal?: AbortSignal };
  readonly #asked = new Set<string>();

  constructor(client: KubeClient, namespace: string | undefined, signal: AbortSignal | undefined) {
    this.#client = client;
    this.#where = { ...(namespace !== undefined && { namespace }), ...(signal && { signal }) };
  }

  async addGraph(name: string | undefined): Promise<void> {
    const object = name === undefined ? undefined : await this.#add(configMaps, name);
    const decoded = object && decodeGraph(object as GraphData);
    if (decoded === undefined || 'problems' in decoded) return;
    const { workflow, steps } = decoded.graph;
    await Promise.all([
      this.#addTemplates(workflow),
      ...steps
        .filter((step) => step.kind === 'run')
        .filter((step) => step.cluster === undefined)
        .map(({ runs }) => ('graph' in runs ? this.addGraph(runs.graph) : this.#addPlan(runs.plan))),
    ]);
  }

  async #addPlan(name: string): Promise<void> {
    const plan = (await this.#add(cronJobs, name)) as PlanObject | undefined;
    await this.addGraph(plan?.spec?.jobTemplate?.metadata?.annotations?.[annotations.graph]);
  }

  /** In one list: a workflow has as many as it has steps. */
  async #addTemplates(workflow: string): Promise<void> {
    if (!this.#isNew(`templates ${workflow}`)) return;
    const labelSelector = `${labels.workflow}=${workflow}`;
    try {
      const { items } = await this.#client.list(podTemplates, { ...this.#where, labelSelector });
      this.objects.push(...items);
    } catch (error) {
      if (!isForbidden(error)) throw error;
    }
  }

  /** What is not there or may not be read is missed by whoever asks what the run needs. */
  async #add(of: Resource, name: string): Promise<KubeObject | undefined> {
    if (!this.#isNew(`${of.kind} ${name}`)) return undefined;
    try {
      const object = await this.#client.get(of, name, this.#where);
      this.objects.push(object);
      return object;
    } catch (error) {
      if (isNotFound(error) || isForbidden(error)) return undefined;
      throw error;
    }
  }

  #isNew(key: string): boolean {
    return !this.#asked.has(key) && this.#asked.add(key) !== undefined;
  }
}

interface PlanObject extends KubeObject {
  readonly spec?: {
    readonly jobTemplate?: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
  };
}
