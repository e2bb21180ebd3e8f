import { stageOf } from '../../lib/engine/prerequisites.ts';
import { graphStepName } from '../../lib/graph/items.ts';
import type { Topology, TopologyStep } from '../../lib/graph/topology.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';

/** What holds whatever the engine thinks: judged by the pods that exist and those that came to exist before. */
export class StartOrder {
  readonly #topology: Topology;
  readonly #cluster: SimulatedCluster;
  /** Steps that had a pod. */
  readonly #started = new Set<number>();
  readonly #startedStages = new Set<string>();

  constructor(topology: Topology, cluster: SimulatedCluster) {
    this.#topology = topology;
    this.#cluster = cluster;
  }

  /**
   * To be told of every pod that was created.
   *
   * @param shells `agree` when each of those that lead at once decides the same, `disagree` when the clock decides
   */
  check(step: string, shells: 'one' | 'agree' | 'disagree'): void {
    if (shells === 'disagree') return;
    // Which items of a map are tried again depends on the order in which others are seen to fail.
    const isTold = (name: string) => shells === 'one' || this.#topology.byName.has(name);
    if (!isTold(step)) return;
    const live = this.#cluster.live().filter((pod) => isTold(pod.step));
    if (live.filter((pod) => pod.step === step).length > 1) throw new Error(`two attempts of ${step} run at once`);
    const { index, edges, services, downstreams, node } = this.#stepOf(step);
    for (const pod of live) {
      const other = this.#stepOf(pod.step);
      if (edges.has(other.index) && !services.includes(other.index))
        throw new Error(`${step} starts while ${pod.step} runs, which it waits for`);
      if (isBefore(stageOf(other.node), stageOf(node))) throw new Error(`${step} starts while ${pod.step} runs`);
    }
    // A service that is tried again comes after those that began while it was up.
    const early = node.kind === 'service' ? undefined : downstreams.find((downstream) => this.#started.has(downstream));
    if (early !== undefined) throw new Error(`${this.#topology.steps[early]!.node.name} did not wait for ${step}`);
    for (const stage of this.#startedStages)
      if (isBefore(stageOf(node), stage)) throw new Error(`${step} starts after steps for the end of the run`);
    this.#started.add(index);
    this.#startedStages.add(stageOf(node));
    // Two that lead at once do not know of each other's pods, until they see them.
    if (shells !== 'one' || node.kind !== 'map' || node.concurrency === undefined) return;
    const items = live.filter((pod) => this.#stepOf(pod.step).index === index).length;
    if (items > node.concurrency)
      throw new Error(`${items} items of ${node.name} run at once; ${node.concurrency} may`);
  }

  #stepOf(name: string): TopologyStep {
    return this.#topology.byName.get(graphStepName(this.#topology, name))!;
  }
}

const stages: readonly string[] = ['main', 'onFailure', 'finally'];
const isBefore = (a: string, b: string) => stages.indexOf(a) < stages.indexOf(b);
