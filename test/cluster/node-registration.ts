import { type Api, ApiError, type KubeObject } from './api.ts';
import { time } from './pod-status.ts';

/** A taint of a node. */
export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

/** What a simulated node says of itself. */
export interface NodeTraits {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly allocatable: Readonly<Record<string, string>>;
  readonly address: string;
  /** Port of the server that answers for logs. */
  readonly kubeletPort: number;
}

/** A Node, as far as it is read. */
interface NodeObject extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
const leaseSeconds = 40;

/** Creates the Node, or takes over one of that name, and makes it Ready at once. */
export async function registerNode(api: Api, traits: NodeTraits): Promise<void> {
  const { name, labels, taints } = traits;
  const path = `/api/v1/nodes/${name}`;
  const metadata = { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...labels } };
  const status = readyStatus(traits);
  await unlessThere(api.create('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata, status }));
  await heartbeat(api, name);
  await api.patch(`${path}/status`, { status });
  // Admission taints every new node as not ready; waiting for the controller to see otherwise takes a while.
  await api.patch(path, { metadata, spec: { taints, unschedulable: null } });
}

/** Renews the lease by which the node lifecycle controller knows that the node is alive. */
export async function heartbeat(api: Api, name: string): Promise<void> {
  const renewTime = new Date().toISOString().replace('Z', '000Z');
  const spec = { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime };
  try {
    await api.patch(`${leases}/${name}`, { spec });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec };
    await unlessThere(api.create(leases, lease));
  }
}

/**
 * Makes a node Ready again that the node lifecycle controller took for dead, as it does when the API server was away for longer
 * than its grace period. A kubelet, too, writes its status anew and not only its lease.
 */
export async function staysReady(api: Api, traits: NodeTraits): Promise<void> {
  const { status } = await api.get<NodeObject>(`/api/v1/nodes/${traits.name}`);
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status !== 'True') await api.patch(`/api/v1/nodes/${traits.name}/status`, { status: readyStatus(traits) });
}

/** Writes what the node lifecycle controller writes of a node that it has not heard from for its grace period. */
export async function reportLost(api: Api, name: string): Promise<void> {
  const at = { lastHeartbeatTime: time(new Date()), lastTransitionTime: time(new Date()) };
  const unknown = {
    status: 'Unknown',
    reason: 'NodeStatusUnknown',
    message: 'Kubelet stopped posting node status.',
    ...at,
  };
  const conditions = [{ type: 'Ready', ...unknown }];
  await api.patch(`/api/v1/nodes/${name}/status`, { status: { conditions } });
}

/** Removes the Node and its lease. */
export async function unregisterNode(api: Api, name: string): Promise<void> {
  await Promise.all(
    [`/api/v1/nodes/${name}`, `${leases}/${name}`].map((path) =>
      api.delete<KubeObject>(path).catch((error: unknown) => {
        if (!(error instanceof ApiError) || error.status !== 404) throw error;
      }),
    ),
  );
}

function readyStatus({ allocatable, address, kubeletPort, name }: NodeTraits): object {
  const at = { lastHeartbeatTime: time(new Date()), lastTransitionTime: time(new Date()) };
  const fine = ['MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) => ({ type, status: 'False', ...at }));
  return {
    capacity: allocatable,
    allocatable,
    conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'simulated', ...at }, ...fine],
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
    nodeInfo: {
      architecture: 'amd64',
      operatingSystem: 'linux',
      kubeletVersion: 'v1.34.4',
      containerRuntimeVersion: 'sim://1',
      osImage: 'simulated',
      kernelVersion: 'simulated',
      kubeProxyVersion: '',
      machineID: name,
      systemUUID: name,
      bootID: name,
    },
  };
}

async function unlessThere(created: Promise<unknown>): Promise<void> {
  await created.catch((error: unknown) => {
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
  });
}
