import type { KubeClient } from '../../kube/client.ts';
import { isForbidden } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { leases } from '../../kube/resources.ts';
import { formatDuration } from '../terminal/duration.ts';

/** The Lease that the controller's replicas compete for. */
export const CONTROLLER_LEASE = 'cdk8s-workflows-controller';

/** Renewed every few seconds; the rest is for clocks that differ. */
const FRESH_MS = 60_000;

interface Lease extends KubeObject {
  readonly spec?: { readonly renewTime?: string; readonly holderIdentity?: string };
}

/** Why nobody may be there to run a run, as a warning; nothing when a controller was seen, or when we may not look. */
export async function controllerWarning(client: KubeClient, now: number): Promise<string | undefined> {
  const found = await controllerLeases(client);
  if (found === undefined) return undefined;
  const waits = 'the run stays Pending until one runs';
  if (found.length === 0)
    return `no controller was seen on this cluster (there is no Lease "${CONTROLLER_LEASE}"): ${waits}`;
  const ages = found.map(({ spec }) =>
    spec?.renewTime === undefined || !spec.holderIdentity ? Infinity : now - Date.parse(spec.renewTime),
  );
  const youngest = Math.min(...ages);
  if (youngest <= FRESH_MS) return undefined;
  const { metadata } = found[ages.indexOf(youngest)]!;
  const where = `the Lease ${metadata.namespace}/${metadata.name}`;
  return youngest === Infinity
    ? `no controller holds ${where}: ${waits}`
    : `the controller has not renewed ${where} for ${formatDuration(youngest)}: ${waits}`;
}

async function controllerLeases(client: KubeClient): Promise<readonly Lease[] | undefined> {
  const fieldSelector = `metadata.name=${CONTROLLER_LEASE}`;
  for (const namespace of [null, client.namespace]) {
    try {
      return (await client.list<Lease>(leases, { namespace, fieldSelector })).items;
    } catch (error) {
      if (!isForbidden(error)) throw error;
    }
  }
  return undefined;
}
