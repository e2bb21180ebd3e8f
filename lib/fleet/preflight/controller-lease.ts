import { annotations } from '../../graph/labels.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isForbidden } from '../../kube/errors.ts';
import type { Lease } from '../../kube/lease-claim.ts';
import { leases } from '../../kube/resources.ts';

/** The Lease that the controller's replicas compete for. */
export const CONTROLLER_LEASE = 'cdk8s-workflows-controller';

/** Renewed every few seconds; the rest is for clocks that differ. */
const FRESH_MS = 60_000;

/** A controller, as its Lease tells of it. */
export interface SeenController {
  /** `namespace/name` of the Lease. */
  readonly lease: string;
  /** Somebody holds the Lease, and renewed it a moment ago. */
  readonly alive: boolean;
  /** Since the last renewal, in milliseconds; left out when nobody holds it. */
  readonly ageMs?: number;
  /** Left out by those that do not tell. */
  readonly version?: string;
  /** The namespaces it looks after; null for all. Left out by those that do not tell. */
  readonly namespaces?: readonly string[] | null;
}

/** The controllers of a cluster, those that live first and the youngest renewal first; nothing when we may not look. */
export async function seenControllers(
  client: KubeClient,
  now: number,
  signal?: AbortSignal,
): Promise<readonly SeenController[] | undefined> {
  const found = await controllerLeases(client, signal);
  return found
    ?.map((lease) => seenIn(lease, now))
    .sort((a, b) => (a.ageMs ?? Infinity) - (b.ageMs ?? Infinity) || a.lease.localeCompare(b.lease));
}

async function controllerLeases(client: KubeClient, signal?: AbortSignal): Promise<readonly Lease[] | undefined> {
  const fieldSelector = `metadata.name=${CONTROLLER_LEASE}`;
  for (const namespace of [null, client.namespace]) {
    try {
      return (await client.list<Lease>(leases, { namespace, fieldSelector, signal })).items;
    } catch (error) {
      if (!isForbidden(error)) throw error;
    }
  }
  return undefined;
}

function seenIn({ metadata, spec }: Lease, now: number): SeenController {
  const held = spec?.renewTime !== undefined && Boolean(spec.holderIdentity);
  const ageMs = held ? now - Date.parse(spec.renewTime!) : undefined;
  const { [annotations.controllerVersion]: version, [annotations.controllerNamespaces]: namespaces } =
    metadata.annotations ?? {};
  return {
    lease: `${metadata.namespace}/${metadata.name}`,
    alive: ageMs !== undefined && ageMs <= FRESH_MS,
    ...(ageMs !== undefined && { ageMs }),
    ...(version !== undefined && { version }),
    ...(namespaces !== undefined && { namespaces: namespaces === '*' ? null : namespaces.split(',') }),
  };
}
