import type { KubeClient } from '../../kube/client.ts';
import { checked, failed, warning, type CheckResult, type Finding } from './check-result.ts';
import { CONTROLLER_LEASE, seenControllers, type SeenController } from './controller-lease.ts';

/** What is asked of the controllers of a cluster. */
export interface ControllerNeed {
  /** The namespaces with runs that a controller is to sequence. */
  readonly namespaces: readonly string[];
  /** The manifests bring a controller with them. */
  readonly brought: boolean;
  /** Of this program, which made the manifests. */
  readonly version: string;
}

/** Whether a controller that can do it looks after the runs of the plans. */
export async function checkController(
  client: KubeClient,
  need: ControllerNeed,
  now: number,
  signal?: AbortSignal,
): Promise<CheckResult> {
  if (need.namespaces.length === 0) return checked('controller', [], 'not needed');
  return controllerResult(await seenControllers(client, now, signal), need);
}

export function controllerResult(seen: readonly SeenController[] | undefined, need: ControllerNeed): CheckResult {
  if (seen === undefined)
    return checked('controller', [
      warning(`Leases may not be read, so that nobody knows whether a controller is there`, 'allow list on leases'),
    ]);
  const alive = seen.filter((controller) => controller.alive);
  if (alive.length === 0) {
    if (need.brought) return checked('controller', [], 'in the manifests');
    return checked('controller', [failed(absence(seen), 'apply a WorkflowController, or give the plans driver: true')]);
  }
  const findings = [...new Set(need.namespaces)].flatMap((namespace): Finding[] => {
    const mine = alive.filter((controller) => looksAfter(controller, namespace));
    if (mine.length > 0) return mine.flatMap((controller) => versionFindings(controller, need));
    if (need.brought) return [];
    const others = alive.map(({ lease, namespaces }) => `that of ${lease} looks after ${namespaces?.join(', ')}`);
    return [
      failed(
        `no controller looks after the namespace ${namespace}: ${others.join('; ')}`,
        "apply one there, or give one scope: 'cluster'",
      ),
    ];
  });
  const distinct = [...new Map(findings.map((finding) => [finding.message, finding])).values()];
  return checked(
    'controller',
    distinct,
    alive.map(({ version, lease }) => `${version ?? 'of unknown version'} in ${lease.split('/')[0]}`).join(', '),
  );
}

function absence(seen: readonly SeenController[]): string {
  const waits = 'runs stay Pending until one runs';
  const [youngest] = seen;
  if (youngest === undefined) return `no controller was seen (there is no Lease "${CONTROLLER_LEASE}"): ${waits}`;
  if (youngest.ageMs === undefined) return `no controller holds the Lease ${youngest.lease}: ${waits}`;
  return `the controller has not renewed the Lease ${youngest.lease} for ${Math.round(youngest.ageMs / 1000)} s: ${waits}`;
}

/** One that does not tell its namespaces is taken to look after all. */
function looksAfter({ namespaces }: SeenController, namespace: string): boolean {
  return namespaces?.includes(namespace) ?? true;
}

/** A controller takes what it was made with or before; newer manifests may hold what it does not know. */
function versionFindings({ version, lease }: SeenController, need: ControllerNeed): Finding[] {
  const theirs = version === undefined ? undefined : releaseOf(version);
  const ours = releaseOf(need.version);
  if (theirs === undefined || ours === undefined) return [];
  const older = theirs[0] < ours[0] || (theirs[0] === ours[0] && theirs[1] < ours[1]);
  if (!older && theirs[0] === ours[0]) return [];
  const message = `the controller of ${lease} has version ${version}, and these manifests were made by ${need.version}`;
  if (need.brought) return [warning(message, 'see that they bring a controller of that version')];
  const fix = older ? 'update the controller first' : 'update this program';
  return [failed(message, fix)];
}

function releaseOf(version: string): [number, number] | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor)];
}
