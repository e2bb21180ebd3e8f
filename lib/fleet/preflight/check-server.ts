import type { KubeClient } from '../../kube/client.ts';
import {
  ConnectionError,
  isForbidden,
  isNotFound,
  isUnauthorized,
  KubeconfigError,
  KubeError,
} from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { namespaces } from '../../kube/resources.ts';
import { whoAmI } from '../../kube/who-am-i.ts';
import { checked, failed, warning, type CheckResult } from './check-result.ts';

/** Jobs with `managedBy` need no feature gate from here on. (KEP-4368) */
const MANAGED_SINCE = 32;
/** The minor version of Kubernetes whose types synth checks manifests against. */
const TYPES_OF = 34;

/** Whether the API server answers and says that it is ready. */
export async function checkReachable(client: KubeClient, signal?: AbortSignal): Promise<CheckResult> {
  try {
    await client.ready({ signal });
    return checked('reachable', [], 'ready');
  } catch (error) {
    signal?.throwIfAborted();
    // Some providers close /readyz to all but themselves; what answers so is there.
    if (isForbidden(error)) return checked('reachable', [], 'ready');
    return unreachable(error);
  }
}

/** The check of a cluster that could not be talked to. Other errors are thrown on. */
export function unreachable(error: unknown): CheckResult {
  if (error instanceof KubeconfigError || error instanceof ConnectionError)
    return checked('reachable', [failed(error.message)]);
  if (isUnauthorized(error))
    return checked('reachable', [
      failed('the credentials of the context are not accepted', 'log in again, or choose another context'),
    ]);
  if (error instanceof KubeError)
    return checked('reachable', [
      failed(`the API server is not ready: ${oneLine(error.status.message ?? error.message)}`),
    ]);
  throw error;
}

/** The version of the server, and whether it can do what the manifests ask for. */
export async function checkVersion(client: KubeClient, managed: boolean, signal?: AbortSignal): Promise<CheckResult> {
  const { gitVersion } = await client.version({ signal });
  return versionResult(gitVersion, managed);
}

/** @param managed whether there are runs that the controller sequences */
export function versionResult(gitVersion: string, managed: boolean): CheckResult {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(gitVersion) ?? [];
  if (major === undefined)
    return checked('version', [warning(`the server says that its version is ${JSON.stringify(gitVersion)}`)]);
  const skew = Number(minor) - TYPES_OF;
  const told = Math.abs(skew) > 1 ? `${gitVersion} (types: 1.${TYPES_OF})` : gitVersion;
  if (managed && Number(major) === 1 && Number(minor) < MANAGED_SINCE)
    return checked(
      'version',
      [
        failed(
          `Kubernetes ${gitVersion} would run the Jobs of workflows itself: a controller can take them from 1.${MANAGED_SINCE} on`,
          'give the plans driver: true, or update the cluster',
        ),
      ],
      told,
    );
  return checked('version', [], told);
}

/** Which cluster it is: the UID of its namespace kube-system, which stays the same however it is reached. */
export async function checkIdentity(client: KubeClient, expected?: string, signal?: AbortSignal): Promise<CheckResult> {
  const [uid, user] = await Promise.all([clusterUid(client, signal), whoAmI(client, signal).catch(nobody)]);
  const as = user === undefined ? '' : ` as ${user}`;
  if (uid === undefined) {
    const nobodyKnows = warning(
      'the namespace kube-system may not be read, so that nobody knows which cluster this is',
      'allow get on it',
    );
    return checked('identity', expected === undefined ? [] : [nobodyKnows], `unknown${as}`);
  }
  const wrong = failed(
    `the context ${client.context} leads to the cluster ${uid}, not to ${expected}`,
    'choose the right context',
  );
  const findings = expected === undefined || uid === expected ? [] : [wrong];
  return { ...checked('identity', findings, `${uid.slice(0, 8)}${as}`), uid };
}

/** The UID of kube-system; nothing when it may not be read. */
export async function clusterUid(client: KubeClient, signal?: AbortSignal): Promise<string | undefined> {
  try {
    const { metadata } = await client.get<KubeObject>(namespaces, 'kube-system', { signal });
    return metadata.uid;
  } catch (error) {
    if (isForbidden(error) || isNotFound(error)) return undefined;
    throw error;
  }
}

/** Who asks is only for the reader. */
function nobody(error: unknown): undefined {
  if (!(error instanceof KubeError)) throw error;
}

function oneLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  const wrong = lines.filter((line) => line.startsWith('[-]'));
  return (wrong.length > 0 ? wrong : lines.filter(Boolean)).join(', ');
}
