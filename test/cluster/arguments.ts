import { stringify } from 'yaml';
import type { Certificates } from './certificates.ts';

/** Where a control plane listens and how it is called. */
export interface Surroundings {
  /** What precedes a command to run it there, e.g. `nsenter` into a namespace. */
  readonly enter: readonly string[];
  /** The address by which this process reaches the API server. */
  readonly address: string;
  /** The address that the API server binds. */
  readonly bind: string;
  /** The range of the addresses of Services. */
  readonly serviceRange: string;
  /** Whether the `kubernetes` Service leads to the API server, as pods on a real node need. */
  readonly endpoint: boolean;
}

/** A control plane of plain processes on the loopback interface. */
export const loopback: Surroundings = {
  enter: [],
  address: '127.0.0.1',
  bind: '127.0.0.1',
  serviceRange: '10.96.0.0/16',
  endpoint: false,
};

/** The ports of one control plane. */
export interface Ports {
  readonly apiServer: number;
  readonly etcd: number;
  readonly etcdPeer: number;
}

/** Arguments of etcd. It trades durability for speed: its data outlives a kill, not a crash of the machine. */
export function etcdArguments(directory: string, { etcd, etcdPeer }: Ports): string[] {
  const [client, peer] = [`http://127.0.0.1:${etcd}`, `http://127.0.0.1:${etcdPeer}`];
  return [
    `--data-dir=${directory}/etcd`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
    '--snapshot-count=1000000',
    '--heartbeat-interval=20',
    '--election-timeout=200',
  ];
}

/** Arguments of kube-apiserver. */
export function apiServerArguments(
  directory: string,
  ports: Ports,
  certificates: Certificates,
  { address, bind, serviceRange, endpoint }: Surroundings,
): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    `--bind-address=${bind}`,
    `--advertise-address=${address}`,
    `--secure-port=${ports.apiServer}`,
    `--endpoint-reconciler-type=${endpoint ? 'lease' : 'none'}`,
    `--service-cluster-ip-range=${serviceRange}`,
    `--tls-cert-file=${certificates.server.certFile}`,
    `--tls-private-key-file=${certificates.server.keyFile}`,
    `--client-ca-file=${certificates.caFile}`,
    `--token-auth-file=${directory}/tokens.csv`,
    '--authorization-mode=Node,RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${certificates.serviceAccountPublicKeyFile}`,
    `--service-account-signing-key-file=${certificates.serviceAccountKeyFile}`,
    `--kubelet-client-certificate=${certificates.kubeletClient.certFile}`,
    `--kubelet-client-key=${certificates.kubeletClient.keyFile}`,
    '--kubelet-preferred-address-types=InternalIP',
    '--allow-privileged=true',
    '--max-requests-inflight=2000',
    '--max-mutating-requests-inflight=1000',
    '--profiling=false',
    // A restart in a test must not wait for clients that watch.
    '--shutdown-delay-duration=0',
  ];
}

/** Arguments of kube-controller-manager. Its limits are raised so that it is not what a benchmark measures. */
export function controllerManagerArguments(
  directory: string,
  { caFile, serviceAccountKeyFile }: Certificates,
): string[] {
  return [
    `--kubeconfig=${directory}/system-kube-controller-manager.kubeconfig`,
    `--root-ca-file=${caFile}`,
    `--service-account-private-key-file=${serviceAccountKeyFile}`,
    '--use-service-account-credentials',
    '--leader-elect=false',
    '--secure-port=0',
    '--kube-api-qps=1000',
    '--kube-api-burst=2000',
    '--concurrent-job-syncs=20',
    '--concurrent-gc-syncs=40',
    '--profiling=false',
  ];
}

/** Arguments of kube-scheduler. */
export function schedulerArguments(directory: string): string[] {
  return [`--config=${directory}/scheduler.yaml`, '--secure-port=0'];
}

/** The configuration file of kube-scheduler: its client's limits have no flags. */
export function schedulerConfiguration(directory: string): string {
  return stringify({
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    clientConnection: { kubeconfig: `${directory}/system-kube-scheduler.kubeconfig`, qps: 1000, burst: 2000 },
    leaderElection: { leaderElect: false },
  });
}
