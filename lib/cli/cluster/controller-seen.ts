import { CONTROLLER_LEASE, seenControllers } from '../../fleet/preflight/controller-lease.ts';
import type { KubeClient } from '../../kube/client.ts';
import { formatDuration } from '../terminal/duration.ts';

/** Why nobody may be there to run a run, as a warning; nothing when a controller was seen, or when we may not look. */
export async function controllerWarning(client: KubeClient, now: number): Promise<string | undefined> {
  const found = await seenControllers(client, now);
  if (found === undefined) return undefined;
  const waits = 'the run stays Pending until one runs';
  const [youngest] = found;
  if (youngest === undefined)
    return `no controller was seen on this cluster (there is no Lease "${CONTROLLER_LEASE}"): ${waits}`;
  if (youngest.alive) return undefined;
  const where = `the Lease ${youngest.lease}`;
  return youngest.ageMs === undefined
    ? `no controller holds ${where}: ${waits}`
    : `the controller has not renewed ${where} for ${formatDuration(youngest.ageMs)}: ${waits}`;
}
