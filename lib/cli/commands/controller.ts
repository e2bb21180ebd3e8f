import type { LogFormat, LogLevel } from '../../controller/log.ts';
import type { CommandModule } from '../command-module.ts';
import type { RemoteAccess } from '../../controller/remote/remote-access.ts';
import type { TriggerSettings } from '../../controller/trigger/open-trigger.ts';
import { TRIGGER_AUDIENCE } from '../../graph/plan-permissions.ts';
import { UsageError } from '../errors.ts';
import { choiceOption, collect, wholeNumber } from '../options.ts';
import { parseRemoteCluster } from '../remote-cluster-option.ts';
import { parseSeconds } from '../terminal/seconds-option.ts';
import { packageVersion } from '../version.ts';

interface Options {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: readonly string[];
  readonly allNamespaces?: boolean;
  readonly leaderElect: boolean;
  readonly leaseName: string;
  readonly leaseNamespace?: string;
  readonly maxSteps?: number;
  readonly maxStepsPerNamespace?: number;
  readonly remoteCluster?: readonly RemoteAccess[];
  readonly clusterName?: string;
  /** In seconds. */
  readonly failoverAfter?: number;
  readonly failoverFrom?: readonly string[];
  readonly healthPort?: number;
  readonly triggerPort?: number;
  readonly triggerAudience: string;
  readonly triggerRate: number;
  readonly triggerTlsCert?: string;
  readonly triggerTlsKey?: string;
  readonly logLevel: LogLevel;
  readonly logFormat?: LogFormat;
}

function triggerOf(options: Options): TriggerSettings | undefined {
  const { triggerPort: port, triggerAudience: audience, triggerRate: requestsPerSecond } = options;
  const { triggerTlsCert: cert, triggerTlsKey: key } = options;
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError('--trigger-tls-cert and --trigger-tls-key belong together');
  if (port === undefined) return undefined;
  return { port, audience, requestsPerSecond, ...(cert !== undefined && { tls: { cert, key: key! } }) };
}

/** Runs the controller: what the Deployment of `WorkflowController` starts. */
export const controllerCommand: CommandModule = {
  name: 'controller',
  group: 'Operate',
  summary: 'sequence the runs of a cluster',
  configure(command, context) {
    command
      .option('--kubeconfig <file>', 'kubeconfig to use in place of KUBECONFIG and ~/.kube/config')
      .option('--context <name>', 'context of the kubeconfig; the current one when left out')
      .option(
        '-n, --namespace <name>',
        "namespace to look after, may be repeated; the context's when left out",
        collect,
      )
      .option('-A, --all-namespaces', 'look after every namespace')
      .option('--no-leader-elect', 'work without asking whether another replica does')
      .option('--lease-name <name>', 'Lease by which replicas agree on a leader', 'cdk8s-workflows-controller')
      .option('--lease-namespace <name>', "namespace of the Lease; the pod's own when left out")
      .option('--max-steps <number>', 'steps of all runs that may run at once; no limit when left out', wholeNumber(1))
      .option('--max-steps-per-namespace <number>', 'the same for the runs of each namespace', wholeNumber(1))
      .option(
        '--remote-cluster <name=...,kubeconfig=...>',
        'other cluster that steps may have their runs on, with its kubeconfig; context=... and namespace=... may follow; may be repeated',
        parseRemoteCluster,
      )
      .option('--cluster-name <name>', 'the name of this cluster in its fleet, for --failover-after')
      .option(
        '--failover-after <duration>',
        'activate here the plans of a cluster that was lost for so long and whose first backup this one is; never when left out',
        parseSeconds,
      )
      .option(
        '--failover-from <name>',
        'that cluster, one that --remote-cluster gives access to; may be repeated',
        collect,
      )
      .option('--health-port <port>', 'port of /healthz, /readyz and /metrics; none when left out', wholeNumber(0))
      .option('--trigger-port <port>', 'port at which callers launch plans by HTTP; none when left out', wholeNumber(0))
      .option('--trigger-audience <name>', 'what their tokens must be meant for', TRIGGER_AUDIENCE)
      .option('--trigger-rate <number>', 'requests a second of each of them; twice as many at once', wholeNumber(1), 10)
      .option('--trigger-tls-cert <file>', 'certificate of that port, in PEM; plain HTTP when left out')
      .option('--trigger-tls-key <file>', 'the key of the certificate')
      .addOption(
        choiceOption('--log-level <level>', 'what is logged', ['debug', 'info', 'warn', 'error']).default('info'),
      )
      .addOption(
        choiceOption('--log-format <format>', 'how; json unless standard error is a terminal', ['json', 'text']),
      )
      .action(async (options: Options) => {
        const [{ runController }, { untilSignal }, { failoverBeside }] = await Promise.all([
          import('../../controller/controller-process.ts'),
          import('../../controller/until-signal.ts'),
          import('../cluster/fleet/failover-beside.ts'),
        ]);
        const whileLeading = failoverBeside(options);
        const trigger = triggerOf(options);
        const { namespace, allNamespaces, logFormat, maxSteps, maxStepsPerNamespace, remoteCluster, ...rest } = options;
        const namespaces = allNamespaces ? null : namespace;
        await untilSignal((signal) =>
          runController(
            {
              ...rest,
              ...(namespaces !== undefined && { namespaces }),
              ...(remoteCluster && { remoteClusters: remoteCluster }),
              ...(whileLeading && { whileLeading }),
              ...(trigger && { trigger }),
              limits: {
                ...(maxSteps !== undefined && { maxSteps }),
                ...(maxStepsPerNamespace !== undefined && { maxStepsPerNamespace }),
              },
              logFormat: logFormat ?? (process.stderr.isTTY ? 'text' : 'json'),
              version: packageVersion(),
              env: context.env,
            },
            signal,
          ),
        );
      });
  },
};
