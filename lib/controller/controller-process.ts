import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { StepLimits } from '../engine/lock-table.ts';
import { KubeClient } from '../kube/client.ts';
import { LeaderElection } from '../kube/lease.ts';
import { annotations, MANAGED_BY, MANAGED_BY_LABEL } from '../graph/labels.ts';
import { Controller } from './controller.ts';
import { HealthServer } from './health-server.ts';
import { createLogger, type LogFormat, type Logger, type LogLevel } from './log.ts';
import { prometheusMetrics, type ScrapedMetrics } from './metrics.ts';
import { openRemoteClusters, type RemoteAccess } from './remote/remote-access.ts';
import type { RemoteCluster } from './remote/remote-watch.ts';
import { openTrigger, type TriggerSettings } from './trigger/open-trigger.ts';

/** How a controller runs as a process of its own. */
export interface ControllerProcessOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  /** null means all. @default the context's */
  readonly namespaces?: readonly string[] | null;
  /** Only one of several replicas works at a time. */
  readonly leaderElect: boolean;
  readonly leaseName: string;
  /** @default the pod's own namespace, else the context's */
  readonly leaseNamespace?: string;
  /** @default no server */
  readonly healthPort?: number;
  /** Launches plans for those who ask by HTTP. @default nobody may */
  readonly trigger?: TriggerSettings;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** Of this program, told on the Lease. */
  readonly version: string;
  /** How many steps may run at once. @default as many as the runs allow */
  readonly limits?: StepLimits;
  /** Other clusters that steps may have their runs on. @default none */
  readonly remoteClusters?: readonly RemoteAccess[];
  /** What is done beside the runs while this replica leads. It ends with its signal. @default nothing */
  readonly whileLeading?: (leading: Leading) => Promise<void>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What a replica that leads has at hand. */
export interface Leading {
  readonly client: KubeClient;
  /** null means all. */
  readonly namespaces: readonly string[] | null;
  readonly remoteClusters: readonly RemoteCluster[];
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** How long the end in good order may take, in milliseconds: with the lease's return it stays under ten seconds. */
const CLOSE_MS = 5_000;

/** Runs a controller until the signal is aborted, then ends it in good order. */
export async function runController(options: ControllerProcessOptions, signal: AbortSignal): Promise<void> {
  const { env, kubeconfig, context, leaderElect, healthPort } = options;
  const log = await createLogger({ level: options.logLevel, format: options.logFormat });
  const metrics = await prometheusMetrics();
  const identity = `${env.POD_NAME ?? hostname()}_${randomBytes(4).toString('hex')}`;
  const client = await KubeClient.fromKubeconfig({
    userAgent: 'cdk8s-workflows/controller',
    onWarning: (warning) => log.warn('The API server warns', { warning }),
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...(context !== undefined && { context }),
  });
  const onWarning = (warning: string) => log.warn('The API server of another cluster warns', { warning });
  const remotes = await openRemoteClusters(options.remoteClusters ?? [], onWarning);
  const replica = new Replica(client, remotes, options, log, metrics, identity, signal);
  const ready = () => replica.ready;
  await using _health =
    healthPort === undefined ? undefined : await HealthServer.start({ port: healthPort, ready, metrics });
  log.info('The controller starts', {
    identity,
    server: client.server,
    namespaces: options.namespaces ?? 'all',
    leaderElect,
    ...(remotes.length > 0 && { remoteClusters: remotes.map(({ name }) => name) }),
  });
  try {
    const { trigger, namespaces = [client.namespace] } = options;
    // It ends before the client that it asks with.
    await using _trigger = trigger && (await openTrigger(trigger, { client, namespaces, log, metrics }));
    if (leaderElect) await replica.compete();
    else await replica.work(signal);
  } finally {
    await Promise.all([client, ...remotes.map((remote) => remote.client)].map((each) => each.close()));
  }
  log.info('The controller has ended');
}

/** One of several controllers, of which one works at a time. */
class Replica {
  readonly #client: KubeClient;
  readonly #remotes: readonly RemoteCluster[];
  readonly #options: ControllerProcessOptions;
  readonly #log: Logger;
  readonly #metrics: ScrapedMetrics;
  readonly #identity: string;
  readonly #signal: AbortSignal;
  #controller: Controller | undefined;
  #standby = false;

  constructor(
    client: KubeClient,
    remotes: readonly RemoteCluster[],
    options: ControllerProcessOptions,
    log: Logger,
    metrics: ScrapedMetrics,
    identity: string,
    signal: AbortSignal,
  ) {
    this.#client = client;
    this.#remotes = remotes;
    this.#options = options;
    this.#log = log;
    this.#metrics = metrics;
    this.#identity = identity;
    this.#signal = signal;
  }

  /** A replica that waits for its turn is ready to take it. */
  get ready(): boolean {
    return this.#controller?.ready ?? this.#standby;
  }

  async compete(): Promise<void> {
    const { leaseName, leaseNamespace, env, version, namespaces = [this.#client.namespace] } = this.#options;
    const election = new LeaderElection(this.#client, {
      name: leaseName,
      namespace: leaseNamespace ?? env.POD_NAMESPACE ?? this.#client.namespace,
      identity: this.#identity,
      labels: { [MANAGED_BY_LABEL]: MANAGED_BY },
      annotations: {
        [annotations.controllerVersion]: version,
        [annotations.controllerNamespaces]: namespaces?.join(',') ?? '*',
      },
    });
    this.#standby = true;
    const onError = (error: unknown) => this.#log.warn('The lease could not be read or written', { error });
    await election.run(
      {
        onStarted: (term) => this.work(term),
        onStopped: () => this.#log.warn('This replica no longer leads'),
        onNewLeader: (leader) => this.#log.info('There is a leader', { leader, self: leader === this.#identity }),
        onError,
      },
      this.#signal,
    );
  }

  /** Works until the term ends: at once if the lease was lost, in good order if this process is to end. */
  async work(term: AbortSignal): Promise<void> {
    const { namespaces, limits, whileLeading } = this.#options;
    const controller = new Controller({
      client: this.#client,
      log: this.#log,
      metrics: this.#metrics,
      instance: this.#identity,
      remoteClusters: this.#remotes,
      ...(namespaces !== undefined && { namespaces }),
      ...(limits && { limits }),
    });
    this.#controller = controller;
    this.#metrics.leading(true);
    const end = new AbortController();
    const onEnd = async () => {
      if (this.#signal.aborted) await controller.close(CLOSE_MS);
      end.abort();
    };
    if (term.aborted) return;
    term.addEventListener('abort', () => void onEnd(), { once: true });
    try {
      const leading: Leading = {
        client: this.#client,
        namespaces: namespaces === undefined ? [this.#client.namespace] : namespaces,
        remoteClusters: this.#remotes,
        log: this.#log,
        signal: end.signal,
      };
      await Promise.all([controller.run(end.signal), whileLeading?.(leading)]);
    } finally {
      this.#controller = undefined;
      this.#metrics.leading(false);
    }
  }
}
