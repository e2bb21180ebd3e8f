import type { Surroundings } from './arguments.ts';
import { ExternalControlPlane } from './external-control-plane.ts';
import type { Kubectl, KubectlResult } from './kubectl.ts';
import { LocalControlPlane } from './local-control-plane.ts';
import type { SimulatedNode, SimulatedNodeOptions } from './simulated-node.ts';

export type { Kubectl, KubectlResult };

/** What a test may choose about its control plane. */
export interface ControlPlaneOptions {
  /**
   * Part of the name of its directory, to tell several apart.
   * @default 'cluster'
   */
  readonly name?: string;
  /**
   * Simulated nodes to register: how many, or their options. They are `simulatedNode` of the result and stop with it.
   * @default none
   */
  readonly nodes?: number | Omit<SimulatedNodeOptions, 'kubeconfigPath'>;
  /**
   * Whether kube-controller-manager runs. Without it pods need no service account, and nothing reconciles Jobs,
   * CronJobs and owner references.
   * @default true
   */
  readonly controllerManager?: boolean;
  /**
   * Whether kube-scheduler runs.
   * @default true
   */
  readonly scheduler?: boolean;
  /**
   * Directory for data, certificates and logs; it stays after `stop()`.
   * @default a temporary one, removed by `stop()`
   */
  readonly dataDir?: string;
  /** Fixed ports, where free ones will not do. */
  readonly ports?: { readonly apiServer?: number; readonly etcd?: number; readonly etcdPeer?: number };
  /**
   * Users beside the administrator, with their groups. They may do nothing until RBAC says so.
   * @default alice, bob and carol, in no group
   */
  readonly users?: Readonly<Record<string, readonly string[]>>;
  /** Further arguments of kube-apiserver. */
  readonly apiServerArgs?: readonly string[];
  /** Further arguments of kube-controller-manager. */
  readonly controllerManagerArgs?: readonly string[];
  /**
   * Where the processes run.
   * @default the loopback interface of this machine
   */
  readonly surroundings?: Surroundings;
}

/** A running control plane: a real API server with etcd, controllers and scheduler. */
export interface ControlPlane extends AsyncDisposable {
  /** A kubeconfig file of the administrator. */
  readonly kubeconfigPath: string;
  /** URL of the API server. */
  readonly server: string;
  /** The certificate authority of the API server, a PEM file. */
  readonly caFile: string;
  readonly adminToken: string;
  /** The directory with data and logs, one `<program>.log` each. */
  readonly directory: string;
  /** The simulated nodes that were asked for by `nodes`. */
  readonly simulatedNode: SimulatedNode | undefined;
  /** Runs kubectl as the administrator. A failure is in the result's `code`; it does not throw. */
  readonly kubectl: Kubectl;
  /** The path of a kubeconfig file of one of the `users`. */
  userKubeconfig(user: string): Promise<string>;
  /** Kills etcd; its data stays. */
  stopEtcd(): Promise<void>;
  /** Starts etcd again with the data it had and waits until the API server is ready. */
  startEtcd(): Promise<void>;
  /** Makes etcd hang: connections stay open and nothing answers. */
  pauseEtcd(): void;
  /** Ends {@link pauseEtcd}. */
  resumeEtcd(): void;
  /** Ends the API server, by default in an orderly way (`SIGTERM`); `SIGKILL` is a crash. */
  stopApiServer(signal?: NodeJS.Signals): Promise<void>;
  /** Starts the API server again on the same port and waits until it is ready. */
  startApiServer(): Promise<void>;
  /** {@link stopApiServer}, then {@link startApiServer}. */
  restartApiServer(signal?: NodeJS.Signals): Promise<void>;
  /** Makes the API server hang. */
  pauseApiServer(): void;
  /** Ends {@link pauseApiServer}. */
  resumeApiServer(): void;
  /** Ends exactly the processes it started and removes its directory. May be called more than once. */
  stop(): Promise<void>;
}

/**
 * Starts a control plane of its own and waits until it can run pods: the API server is ready and the default
 * service account exists. With `TEST_KUBECONFIG` set it stands for that cluster instead, whose processes it cannot
 * stop or pause.
 *
 * @throws Error when a program ends early or nothing is ready after a minute, with the last lines of the logs.
 *
 * @example
 * ```ts
 * await using cluster = await startControlPlane({ nodes: 1 });
 * await cluster.kubectl(['apply', '-f', '-'], { input: manifest });
 * ```
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const external = process.env['TEST_KUBECONFIG'];
  return external ? ExternalControlPlane.connect(external, options) : LocalControlPlane.start(options);
}
