import { decodeGraph } from '../graph/config-map.ts';
import { annotations } from '../graph/labels.ts';
import { withRunPolicy, type RunPolicy } from '../graph/run-policy.ts';
import { topology, type Topology } from '../graph/topology.ts';
import type { KubeClient } from '../kube/client.ts';
import { configMaps, podTemplates } from '../kube/resources.ts';
import { readPolicy, type SynthesizedTemplate } from '../pods/runtime-template.ts';
import { InvalidError } from '../values/problems.ts';
import { Lru } from './lru.ts';
import type { ConfigMap, PodTemplateObject } from './objects.ts';

/** What is remembered: workflows and templates in use at one time, with room for those that change. */
const TOPOLOGIES = 256;
const TEMPLATES = 2048;

/**
 * Graphs and pod templates by name. Their names carry a hash of their content, so what was read once
 * holds for good, also for runs that begin after the object was deleted.
 */
export class GraphStore {
  readonly #client: Pick<KubeClient, 'get'>;
  readonly #signal: AbortSignal;
  readonly #topologies = new Lru<Promise<Topology>>(TOPOLOGIES);
  readonly #templates = new Lru<Promise<SynthesizedTemplate>>(TEMPLATES);

  constructor(client: Pick<KubeClient, 'get'>, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  /**
   * A graph with its edges, as a run with this policy follows it.
   *
   * @throws InvalidError when the ConfigMap holds no graph
   * @throws KubeError NotFound when there is none
   */
  topology(namespace: string, name: string, policy?: RunPolicy): Promise<Topology> {
    const { artifactRoot: _, ...changes } = policy ?? {};
    if (Object.keys(changes).length > 0)
      return remember(this.#topologies, `${namespace}/${name} ${JSON.stringify(changes)}`, async () =>
        topology(withRunPolicy((await this.topology(namespace, name)).graph, changes)),
      );
    return remember(this.#topologies, `${namespace}/${name}`, async () => {
      const options = { namespace, signal: this.#signal };
      const decoded = decodeGraph(await this.#client.get<ConfigMap>(configMaps, name, options));
      if ('problems' in decoded)
        throw new InvalidError(`ConfigMap ${namespace}/${name} holds no graph`, decoded.problems);
      return topology(decoded.graph);
    });
  }

  /**
   * A step's template, with the policy that holds over it.
   *
   * @throws InvalidError when the PodTemplate is empty, or its policy cannot be read
   * @throws KubeError NotFound when there is none
   */
  template(namespace: string, name: string): Promise<SynthesizedTemplate> {
    return remember(this.#templates, `${namespace}/${name}`, async () => {
      const options = { namespace, signal: this.#signal };
      const { metadata, template } = await this.#client.get<PodTemplateObject>(podTemplates, name, options);
      if (!Array.isArray(template?.spec?.containers))
        throw new InvalidError(`PodTemplate ${namespace}/${name}`, [
          { path: 'template.spec.containers', message: 'is missing' },
        ]);
      const held = readPolicy(metadata.annotations?.[annotations.policy], `PodTemplate ${namespace}/${name}`);
      return { template, ...held };
    });
  }
}

function remember<V>(cache: Lru<Promise<V>>, key: string, read: () => Promise<V>): Promise<V> {
  const known = cache.get(key);
  if (known) return known;
  const reading = read();
  cache.set(key, reading);
  reading.catch(() => cache.delete(key));
  return reading;
}
