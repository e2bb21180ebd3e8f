import { Api, ApiError, type KubeObject, type WatchEvent } from './api.ts';
import type { Behaviour, PodBehaviour } from './behaviour.ts';
import { LogServer } from './log-server.ts';
import {
  heartbeat,
  type NodeTraits,
  registerNode,
  reportLost,
  staysReady,
  type Taint,
  unregisterNode,
} from './node-registration.ts';
import type { Pod } from './pod.ts';
import type { Cause } from './pod-status.ts';
import { SimulatedPod } from './simulated-pod.ts';

export type { Behaviour, PodBehaviour } from './behaviour.ts';
export type { Pod } from './pod.ts';

/** Which simulated nodes there are, and how pods go on them. */
export interface SimulatedNodeOptions {
  /** A kubeconfig file with the rights of a node, in practice the administrator's. */
  readonly kubeconfigPath: string;
  /**
   * How many nodes, called `<name>-0`, `<name>-1`, ...
   * @default 1
   */
  readonly count?: number;
  /** @default 'sim' */
  readonly name?: string;
  /** Labels of every node. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Taints of every node. */
  readonly taints?: readonly Taint[];
  /**
   * What every node has to give, over the default.
   * @default room for ten thousand pods and as many cores
   */
  readonly allocatable?: Readonly<Record<string, string>>;
  /** How a pod goes; what it leaves out, the pod's annotations say. */
  readonly behaviour?: Behaviour;
}

/** What names a pod: itself, or the two names. */
export type PodName = { readonly metadata: { readonly namespace?: string; readonly name: string } };

const heartbeatMs = 5_000;
const plenty = { cpu: '10000', memory: '10Ti', 'ephemeral-storage': '10Ti', pods: '10000' };

/**
 * Nodes without containers: they take the pods that the scheduler gives them through their phases, as told by
 * `behaviour` and by annotations of the pods. See the README for the annotations.
 */
export class SimulatedNode implements AsyncDisposable {
  /** May be replaced at any time; holds for pods that start from then on. */
  behaviour: Behaviour | undefined;
  readonly nodeNames: readonly string[];
  readonly #api: Api;
  readonly #options: SimulatedNodeOptions;
  readonly #pods = new Map<string, SimulatedPod>();
  readonly #lost = new Set<string>();
  readonly #alive = new Map<string, AbortController>();
  /** The beats that are under way, by node. */
  readonly #beats = new Map<string, Promise<void>>();
  readonly #stopped = new AbortController();
  #logs: LogServer | undefined;
  #heartbeats: NodeJS.Timeout | undefined;
  #watching: Promise<void> = Promise.resolve();
  #addresses = 0;

  /** Registers the nodes, Ready and free of taints but those asked for, and begins to take pods. */
  static async start(options: SimulatedNodeOptions): Promise<SimulatedNode> {
    const node = new SimulatedNode(await Api.connect(options.kubeconfigPath, 64), options);
    try {
      node.#logs = await LogServer.start((namespace, name) => node.#find({ metadata: { namespace, name } }));
      await Promise.all(node.nodeNames.map((name) => node.#join(name)));
      await node.#watch();
      return node;
    } catch (error) {
      await node.stop();
      throw error;
    }
  }

  private constructor(api: Api, options: SimulatedNodeOptions) {
    const { count = 1, name = 'sim', behaviour } = options;
    this.#api = api;
    this.#options = options;
    this.behaviour = behaviour;
    this.nodeNames = Array.from({ length: count }, (_, index) => `${name}-${index}`);
  }

  /** The pods that the nodes know of, as last seen. */
  get pods(): readonly Pod[] {
    return [...this.#pods.values()].map((pod) => pod.pod);
  }

  /** Ends the main container of a running pod now, e.g. of one that is `stuck: 'Running'`. */
  async finish(pod: PodName, result: PodBehaviour = {}): Promise<void> {
    await this.#get(pod).end(result);
  }

  /** Ends a pod as a kubelet that is short of memory does: Failed, reason Evicted, condition DisruptionTarget. */
  async evict(pod: PodName): Promise<void> {
    const message = 'The node was low on resource: memory.';
    const condition = { type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message } as const;
    const cause: Cause = { reason: 'Evicted', message, condition };
    await this.#get(pod).end({ exitCode: 137 }, cause);
  }

  /**
   * Cuts a node off: its pods stay as they are, also when deleted, and it is reported as unreachable at once instead
   * of after the grace period. The taint manager then deletes its pods when their tolerations run out.
   */
  async loseNode(name: string = this.nodeNames[0]!): Promise<void> {
    this.#lost.add(name);
    this.#alive.get(name)?.abort();
    for (const [uid, pod] of this.#pods) {
      if (pod.pod.spec.nodeName !== name) continue;
      pod.close();
      this.#pods.delete(uid);
    }
    // A beat that comes after it would bring the node back.
    await this.#beats.get(name);
    await reportLost(this.#api, name);
  }

  /** Brings a lost node back; it takes up the pods that are still bound to it. */
  async restoreNode(name: string = this.nodeNames[0]!): Promise<void> {
    if (!this.#lost.delete(name)) return;
    await this.#join(name);
    const { items } = await this.#api.get<{ items: Pod[] }>(`/api/v1/pods?fieldSelector=spec.nodeName%3D${name}`);
    for (const pod of items) this.#see(pod);
  }

  /** Removes the Node objects and forgets all pods. */
  async stop(): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort();
    clearInterval(this.#heartbeats);
    for (const alive of this.#alive.values()) alive.abort();
    for (const pod of this.#pods.values()) pod.close();
    this.#pods.clear();
    await within(1_000, this.#watching);
    await this.#logs?.stop();
    await Promise.all(this.nodeNames.map((name) => within(2_000, unregisterNode(this.#api, name))));
    await this.#api.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #join(name: string): Promise<void> {
    this.#alive.set(name, new AbortController());
    await registerNode(this.#api, this.#traits(name));
  }

  #traits(name: string): NodeTraits {
    const { labels = {}, taints = [], allocatable = {} } = this.#options;
    const address = { address: '127.0.0.1', kubeletPort: this.#logs!.port };
    return { name, labels, taints, allocatable: { ...plenty, ...allocatable }, ...address };
  }

  async #watch(): Promise<void> {
    let version = await this.#list();
    this.#heartbeats = setInterval(() => this.#beat(), heartbeatMs);
    const follow = async (): Promise<void> => {
      while (!this.#stopped.signal.aborted) {
        try {
          const query = `fieldSelector=spec.nodeName!%3D&watch=1&resourceVersion=${version}`;
          const onEvent = (event: WatchEvent<Pod>): void => {
            version = event.object.metadata.resourceVersion ?? version;
            this.#see(event.object, event.type === 'DELETED');
          };
          await this.#api.watch<Pod>(`/api/v1/pods?${query}`, onEvent, this.#stopped.signal);
        } catch (error) {
          if (this.#stopped.signal.aborted) return;
          await new Promise((resolve) => setTimeout(resolve, 100));
          if (error instanceof ApiError) version = await this.#list().catch(() => version);
        }
      }
    };
    this.#watching = follow();
  }

  async #list(): Promise<string> {
    const list = await this.#api.get<KubeObject & { items: Pod[] }>('/api/v1/pods?fieldSelector=spec.nodeName!%3D');
    const there = new Set(list.items.map((pod) => pod.metadata.uid));
    for (const [uid, { pod }] of this.#pods) if (!there.has(uid)) this.#see(pod, true);
    for (const pod of list.items) this.#see(pod);
    return list.metadata.resourceVersion ?? '';
  }

  #see(pod: Pod, gone = false): void {
    const { nodeName = '' } = pod.spec;
    const alive = this.#alive.get(nodeName);
    if (!alive || this.#lost.has(nodeName) || this.#stopped.signal.aborted) return;
    const uid = pod.metadata.uid ?? '';
    const known = this.#pods.get(uid);
    if (gone) {
      known?.close();
      this.#pods.delete(uid);
    } else if (known) {
      known.update(pod);
    } else {
      const host = {
        api: this.#api,
        behaviour: (p: Pod) => this.behaviour?.(p),
        hostIP: '127.0.0.1',
        signal: alive.signal,
      };
      this.#pods.set(uid, new SimulatedPod(pod, { ...host, podIP: this.#nextAddress() }));
    }
  }

  #beat(): void {
    for (const name of this.nodeNames) {
      if (this.#lost.has(name) || this.#beats.has(name)) continue;
      // A beat that is missed while the API server is away is made up by the next.
      const beat = this.#beatOf(name).catch(() => {});
      this.#beats.set(name, beat);
      void beat.then(() => this.#beats.delete(name));
    }
  }

  async #beatOf(name: string): Promise<void> {
    await heartbeat(this.#api, name);
    await staysReady(this.#api, this.#traits(name));
  }

  #find({ metadata }: PodName): SimulatedPod | undefined {
    const { namespace = 'default', name } = metadata;
    return [...this.#pods.values()].find(
      ({ pod }) => pod.metadata.name === name && pod.metadata.namespace === namespace,
    );
  }

  #get(pod: PodName): SimulatedPod {
    const known = this.#find(pod);
    if (!known)
      throw new Error(`No pod ${pod.metadata.namespace ?? 'default'}/${pod.metadata.name} on ${this.nodeNames}`);
    return known;
  }

  #nextAddress(): string {
    this.#addresses = (this.#addresses + 1) % 65_000;
    return `10.244.${this.#addresses >> 8}.${this.#addresses & 255}`;
  }
}

/** Waits for something that the cluster may be too dead to do, but not for long. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work.catch(() => {}), over]);
  clearTimeout(timer);
}
