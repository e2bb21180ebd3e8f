import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Api } from './api.ts';
import { clusterProgram, type Program } from './binary.ts';
import { makeCgroup, removeCgroup } from './cgroup.ts';
import { Component, waitUntil } from './component.ts';
import type { ControlPlane, ControlPlaneOptions } from './control-plane.ts';
import { sandboxImage } from './images.ts';
import { LocalControlPlane, prepare, type Parts } from './local-control-plane.ts';
import { Namespace } from './namespace.ts';
import {
  cniConfiguration,
  containerdConfiguration,
  kubeletConfiguration,
  kubeProxyConfiguration,
  nodeName,
  sandboxImageName,
} from './node-configuration.ts';
import { run } from './run.ts';

/** What a test may choose about a cluster with a real node. */
export type NodeOptions = Omit<ControlPlaneOptions, 'surroundings' | 'dataDir'>;

/** A control plane with one real node: containerd, kubelet and kube-proxy in a network of their own. */
export interface NodeCluster extends ControlPlane {
  /** The address of the node, which this process reaches, as it does the addresses of pods and Services. */
  readonly address: string;
  /** The address by which pods reach servers of this process. */
  readonly hostAddress: string;
  /** Makes the images of a docker-archive file known to the node. Pods need `imagePullPolicy: Never` or `IfNotPresent`. */
  importImage(tarPath: string): Promise<void>;
  /** Runs a command on the node and returns what it printed. */
  exec(command: string, ...args: readonly string[]): Promise<string>;
}

/** Whether this is Linux and the user is root. Tests with a real node are skipped where it is not. */
export const canStartNode = process.platform === 'linux' && process.getuid?.() === 0;

/**
 * Starts a cluster whose node runs real containers, and waits until it is Ready. Needs root on Linux and the Debian
 * packages of packages.txt.
 *
 * @throws Error naming what is missing, or with the last log lines of the program that failed.
 */
export async function startNode(options: NodeOptions = {}): Promise<NodeCluster> {
  await checkMachine();
  const directory = await mkdtemp(join(tmpdir(), `cdk8s-workflows-${options.name ?? 'node'}-`));
  let namespace: Namespace | undefined;
  let cluster: RealNode | undefined;
  try {
    namespace = await Namespace.create(directory);
    const { network: enter, address, serviceRange } = namespace;
    const surroundings = { enter, address, bind: '0.0.0.0', serviceRange, endpoint: true };
    cluster = new RealNode(await prepare(directory, { ...options, surroundings, dataDir: directory }), namespace);
    await cluster.start();
    return cluster;
  } catch (error) {
    await cluster?.stop();
    await namespace?.stop();
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

class RealNode extends LocalControlPlane implements NodeCluster {
  readonly #namespace: Namespace;
  readonly #cgroup: string;
  readonly #components: Component[] = [];

  constructor(parts: Parts, namespace: Namespace) {
    super(parts);
    this.#namespace = namespace;
    this.#cgroup = basename(parts.directory);
  }

  get address(): string {
    return this.#namespace.address;
  }

  get hostAddress(): string {
    return this.#namespace.hostAddress;
  }

  override async start(): Promise<void> {
    await allDone([super.start(), this.#startContainerd()]);
    await allDone([this.#startKubelet(), this.#startKubeProxy()]);
    const api = await Api.connect(this.kubeconfigPath, 1);
    try {
      const isReady = async (): Promise<boolean> => {
        const { status } = await api.get<{ status: { conditions: { type: string; status: string }[] } }>(
          `/api/v1/nodes/${nodeName}`,
        );
        return status.conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
      };
      await waitUntil('The node', isReady, this.#components);
    } finally {
      await api.close();
    }
  }

  async importImage(tarPath: string): Promise<void> {
    await this.exec('ctr', '--namespace=k8s.io', 'images', 'import', tarPath);
  }

  async exec(command: string, ...args: readonly string[]): Promise<string> {
    const [nsenter = '', ...inside] = this.#namespace.inside;
    return run(nsenter, ...inside, command, ...args);
  }

  override async stop(): Promise<void> {
    await super.stop();
    await Promise.all(this.#components.map((component) => component.stop('SIGKILL')));
    await this.#namespace.stop();
    await removeCgroup(this.#cgroup);
    await rm(this.directory, { recursive: true, force: true });
  }

  async #startContainerd(): Promise<void> {
    const cni = join(this.directory, 'cni');
    const config = join(this.directory, 'containerd.toml');
    await mkdir(cni);
    await writeFile(join(cni, 'pods.conflist'), cniConfiguration(this.#namespace));
    await writeFile(config, containerdConfiguration(cni));
    const image = sandboxImage(sandboxImageName);
    const containerd = this.#launch('containerd', ['containerd', `--config=${config}`]);
    await waitUntil('containerd', async () => (await this.exec('ctr', 'version')) !== '', [containerd]);
    await this.importImage(await image);
  }

  async #startKubelet(): Promise<void> {
    await makeCgroup(this.#cgroup);
    const config = join(this.directory, 'kubelet.yaml');
    await writeFile(config, kubeletConfiguration(this.caFile, this.#cgroup));
    const kubeconfig = await this.userKubeconfig(`system:node:${nodeName}`);
    const flags = [`--hostname-override=${nodeName}`, `--node-ip=${this.address}`];
    await this.#launchProgram('kubelet', [`--config=${config}`, `--kubeconfig=${kubeconfig}`, ...flags]);
  }

  async #startKubeProxy(): Promise<void> {
    const config = join(this.directory, 'kube-proxy.yaml');
    const kubeconfig = await this.userKubeconfig('system:kube-proxy');
    await writeFile(config, kubeProxyConfiguration(kubeconfig, this.#namespace));
    await this.#launchProgram('kube-proxy', [`--config=${config}`]);
  }

  async #launchProgram(name: Program, args: readonly string[]): Promise<void> {
    this.#launch(name, [...(await clusterProgram(name)), ...args]);
  }

  #launch(name: string, invocation: readonly string[]): Component {
    const [command = '', ...args] = [...this.#namespace.inside, ...invocation];
    const component = new Component({ name, command, args, logFile: join(this.directory, `${name}.log`) });
    this.#components.push(component);
    component.start();
    return component;
  }
}

/** Waits for all, also after one failed: what is still starting could not be stopped. */
async function allDone(work: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(work);
  await Promise.all(work);
}

/** Names everything that is missing at once, before anything is started. */
async function checkMachine(): Promise<void> {
  const needed = ['/usr/bin/containerd', '/usr/sbin/runc', '/usr/lib/cni/ptp', '/usr/sbin/nft', '/bin/busybox'];
  const found = await Promise.allSettled(needed.map((path) => access(path)));
  const missing = needed.filter((_, index) => found[index]?.status === 'rejected');
  if (!canStartNode) throw new Error('A real node needs root on Linux');
  if (missing.length === 0) return;
  const packages = (await readFile(join(import.meta.dirname, 'packages.txt'), 'utf8')).trim().split('\n').join(' ');
  throw new Error(`A real node needs ${missing.join(', ')}: apt-get install --no-install-recommends ${packages}`);
}
