import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api } from './api.ts';
import {
  apiServerArguments,
  controllerManagerArguments,
  etcdArguments,
  loopback,
  type Ports,
  schedulerArguments,
  schedulerConfiguration,
} from './arguments.ts';
import { clusterBinary, clusterProgram, type Program } from './binary.ts';
import { type Certificates, makeCertificates } from './certificates.ts';
import { Component, waitUntil } from './component.ts';
import type { ControlPlane, ControlPlaneOptions } from './control-plane.ts';
import { writeTokenConfig } from './kubeconfig.ts';
import { type Kubectl, kubectlFor } from './kubectl.ts';
import { freePort } from './ports.ts';
import { SimulatedNode } from './simulated-node.ts';
import { makeTokens, type Tokens, tokensFile } from './tokens.ts';

interface Components {
  readonly etcd: Component;
  readonly apiServer: Component;
  readonly controllerManager: Component;
  readonly scheduler: Component;
}

/** What a control plane consists of, not started yet. */
export interface Parts {
  readonly directory: string;
  readonly server: string;
  readonly certificates: Certificates;
  readonly components: Components;
  readonly options: ControlPlaneOptions;
}

/** A control plane of processes on this machine. Start it with `startControlPlane`. */
export class LocalControlPlane implements ControlPlane {
  readonly directory: string;
  readonly server: string;
  readonly kubeconfigPath: string;
  readonly kubectl: Kubectl;
  readonly certificates: Certificates;
  simulatedNode: SimulatedNode | undefined;
  readonly #tokens: Tokens;
  readonly #options: ControlPlaneOptions;
  readonly #components: Components;
  #api: Api | undefined;

  static async start(options: ControlPlaneOptions): Promise<LocalControlPlane> {
    const { name = 'cluster', dataDir } = options;
    if (dataDir !== undefined) await mkdir(dataDir, { recursive: true });
    const directory = dataDir ?? (await mkdtemp(join(tmpdir(), `cdk8s-workflows-${name}-`)));
    let plane: LocalControlPlane | undefined;
    try {
      plane = new LocalControlPlane(await prepare(directory, options));
      await plane.start();
      return plane;
    } catch (error) {
      await plane?.stop();
      if (dataDir === undefined) await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  constructor({ directory, server, certificates, components, options }: Parts) {
    this.directory = directory;
    this.server = server;
    this.certificates = certificates;
    this.kubeconfigPath = join(directory, 'admin.kubeconfig');
    this.kubectl = kubectlFor(this.kubeconfigPath, join(directory, 'kubectl'));
    this.#components = components;
    this.#options = options;
    this.#tokens = makeTokens(options.users ?? { alice: [], bob: [], carol: [] });
  }

  get caFile(): string {
    return this.certificates.caFile;
  }

  get adminToken(): string {
    return this.#tokens.get('admin')!.token;
  }

  async userKubeconfig(user: string): Promise<string> {
    const known = this.#tokens.get(user);
    if (!known) throw new Error(`No user "${user}"; there are ${[...this.#tokens.keys()].join(', ')}`);
    const path = join(this.directory, `${user.replaceAll(':', '-')}.kubeconfig`);
    await writeTokenConfig(path, { server: this.server, caFile: this.caFile, user, token: known.token });
    return path;
  }

  async stopEtcd(): Promise<void> {
    await this.#components.etcd.stop('SIGKILL');
  }

  async startEtcd(): Promise<void> {
    this.#components.etcd.start();
    await this.#ready();
  }

  pauseEtcd(): void {
    this.#components.etcd.pause();
  }

  resumeEtcd(): void {
    this.#components.etcd.resume();
  }

  async stopApiServer(signal?: NodeJS.Signals): Promise<void> {
    await this.#components.apiServer.stop(signal);
  }

  async startApiServer(): Promise<void> {
    this.#components.apiServer.start();
    await this.#ready();
  }

  async restartApiServer(signal?: NodeJS.Signals): Promise<void> {
    await this.stopApiServer(signal);
    await this.startApiServer();
  }

  pauseApiServer(): void {
    this.#components.apiServer.pause();
  }

  resumeApiServer(): void {
    this.#components.apiServer.resume();
  }

  async stop(): Promise<void> {
    await this.simulatedNode?.stop();
    this.simulatedNode = undefined;
    await this.#api?.close();
    this.#api = undefined;
    // Nothing is worth an orderly end: the data goes too, or is whole because etcd writes ahead.
    await Promise.all(Object.values(this.#components).map((component: Component) => component.stop('SIGKILL')));
    if (this.#options.dataDir === undefined) await rm(this.directory, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Starts the processes of a control plane that was just made. */
  async start(): Promise<void> {
    const { etcd, apiServer, controllerManager, scheduler } = this.#components;
    await writeFile(join(this.directory, 'tokens.csv'), tokensFile(this.#tokens), { mode: 0o600 });
    etcd.start();
    apiServer.start();
    const users = ['admin', 'system:kube-controller-manager', 'system:kube-scheduler'];
    await Promise.all(users.map((user) => this.userKubeconfig(user)));
    this.#api = await Api.connect(this.kubeconfigPath, 2);
    await writeFile(join(this.directory, 'scheduler.yaml'), schedulerConfiguration(this.directory));
    await this.#ready();
    const started: Component[] = [];
    if (this.#options.controllerManager ?? true) started.push(controllerManager);
    if (this.#options.scheduler ?? true) started.push(scheduler);
    for (const component of started) component.start();
    const { nodes } = this.#options;
    if (nodes !== undefined) {
      const options = typeof nodes === 'number' ? { count: nodes } : nodes;
      this.simulatedNode = await SimulatedNode.start({ ...options, kubeconfigPath: this.kubeconfigPath });
    }
    if (this.#options.controllerManager ?? true) {
      const account = '/api/v1/namespaces/default/serviceaccounts/default';
      await waitUntil('The default service account', () => this.#answers(account), started);
    }
  }

  async #ready(): Promise<void> {
    const { etcd, apiServer } = this.#components;
    await waitUntil('The API server', () => this.#answers('/readyz'), [apiServer, etcd]);
  }

  async #answers(path: string): Promise<boolean> {
    await this.#api?.text(path);
    return this.#api !== undefined;
  }
}

/** Makes what a control plane consists of, in a directory, without starting it. */
export async function prepare(directory: string, options: ControlPlaneOptions): Promise<Parts> {
  await clusterBinary();
  const surroundings = options.surroundings ?? loopback;
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', '127.0.0.1'];
  const addresses = [surroundings.address, firstAddress(surroundings.serviceRange)];
  const certificates = await makeCertificates(directory, [...new Set([...names, ...addresses])]);
  const ports: Ports = {
    apiServer: options.ports?.apiServer ?? (await freePort()),
    etcd: options.ports?.etcd ?? (await freePort()),
    etcdPeer: options.ports?.etcdPeer ?? (await freePort()),
  };
  const component = async (name: Program, ...args: (readonly string[])[]): Promise<Component> => {
    const [command = '', ...leading] = [...surroundings.enter, ...(await clusterProgram(name))];
    return new Component({
      name,
      command,
      args: [...leading, ...args.flat()],
      logFile: join(directory, `${name}.log`),
    });
  };
  // Admission would wait for service accounts that nobody creates.
  const alone = options.controllerManager === false ? ['--disable-admission-plugins=ServiceAccount'] : [];
  const apiServer = apiServerArguments(directory, ports, certificates, surroundings);
  const controllerManager = controllerManagerArguments(directory, certificates);
  const components = {
    etcd: await component('etcd', etcdArguments(directory, ports)),
    apiServer: await component('kube-apiserver', apiServer, alone, options.apiServerArgs ?? []),
    controllerManager: await component(
      'kube-controller-manager',
      controllerManager,
      options.controllerManagerArgs ?? [],
    ),
    scheduler: await component('kube-scheduler', schedulerArguments(directory)),
  };
  const server = `https://${surroundings.address}:${ports.apiServer}`;
  return { directory, server, certificates, components, options };
}

/** The address in a range that Kubernetes gives to the `kubernetes` Service. */
function firstAddress(range: string): string {
  const [network = ''] = range.split('/');
  return network.replace(/\d+$/, (last) => String(Number(last) + 1));
}
