import type { KubeClient } from '../../kube/client.ts';
import { ConnectionError, KubeError } from '../../kube/errors.ts';
import { checkAdmission } from './check-admission.ts';
import { checkController } from './check-controller.ts';
import { applyPermissions, checkPermissions, type Permission } from './check-permissions.ts';
import { checked, checkNames, failed, skipped, type CheckName, type CheckResult } from './check-result.ts';
import { checkNamespaces, checkRoom } from './check-room.ts';
import { checkIdentity, checkReachable, checkVersion } from './check-server.ts';
import type { Manifest } from '../apply/apply-result.ts';
import type { InventoryRef } from '../apply/applyset.ts';
import { planAsks } from './plan-asks.ts';
import { bringsController, isLocated, locateObjects, namespacesOf, objectsOf } from './preflight-manifests.ts';

/** The cluster that is looked at. */
export interface PreflightTarget {
  /** For objects that name no namespace. @default the client's */
  readonly namespace?: string;
  /** UID of the namespace kube-system, where it is known which cluster it has to be. @default any */
  readonly uid?: string;
}

/** How to look. */
export interface PreflightOptions {
  /** The version of this program, which the controller's is compared with. */
  readonly version: string;
  /** The time, in milliseconds since the epoch. */
  readonly now: number;
  /** What is looked at, beside whether the cluster is reached. @default everything */
  readonly checks?: readonly CheckName[];
  /** What must be allowed. @default what an apply of the manifests needs */
  readonly permissions?: readonly Permission[];
  /** The inventory that an apply would write to. @default none */
  readonly inventory?: InventoryRef;
  readonly signal?: AbortSignal;
}

/**
 * Looks at a cluster before anything is written to it: whether it is reached, is the right one, and is able to take and to run
 * what the manifests say. Writes nothing. The time of each request is bounded by the client's options.
 *
 * @returns a result for each of {@link checkNames}, in that order
 * @throws the signal's reason when it is aborted
 */
export async function preflight(
  client: KubeClient,
  target: PreflightTarget,
  manifests: readonly Manifest[],
  options: PreflightOptions,
): Promise<CheckResult[]> {
  const { signal, version, now, checks = checkNames } = options;
  const reachable = await checkReachable(client, signal);
  if (reachable.state === 'failed') return notReached(reachable);
  const namespace = target.namespace ?? client.namespace;
  const made = new Map<CheckName, CheckResult>([['reachable', reachable]]);
  /** Makes checks that were asked for; an error of the server is what they found. */
  const make = async (names: readonly CheckName[], work: () => Promise<readonly CheckResult[]>): Promise<void> => {
    const wanted = names.filter((name) => checks.includes(name));
    if (wanted.length === 0) return;
    try {
      for (const result of await work()) made.set(result.check, result);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof KubeError || error instanceof ConnectionError)) throw error;
      for (const name of wanted) made.set(name, checked(name, [failed(error.message)]));
    }
  };
  const objects = objectsOf(manifests, namespace);
  const plans = planAsks(objects);
  const managed = plans.filter((plan) => plan.managed);
  await Promise.all([
    make(['version'], async () => [await checkVersion(client, managed.length > 0, signal)]),
    make(['identity'], async () => [await checkIdentity(client, target.uid, signal)]),
    make(['controller'], async () => {
      const need = { namespaces: managed.map((plan) => plan.namespace), brought: bringsController(objects), version };
      return [await checkController(client, need, now, signal)];
    }),
    make(['quota', 'nodes'], () => checkRoom(client, plans, objects, signal)),
    make(['permissions', 'namespaces', 'admission'], async () => {
      const located = await locateObjects(client, objects, signal);
      const { wanted, brought } = namespacesOf(located);
      const [permissions, namespaces] = await Promise.all([
        checkPermissions(client, options.permissions ?? applyPermissions(located.filter(isLocated)), signal),
        checkNamespaces(client, wanted, brought, signal),
      ]);
      const before = [permissions, namespaces.result];
      if (!checks.includes('admission')) return before;
      if (permissions.state === 'failed') return [...before, skipped('admission', 'not allowed')];
      const admission = { namespace, inventory: options.inventory, passOver: namespaces.missing, signal };
      return [...before, await checkAdmission(client, manifests, admission)];
    }),
  ]);
  return checkNames.map((name) =>
    (checks.includes(name) || name === 'reachable') && made.has(name)
      ? made.get(name)!
      : skipped(name, 'not asked for'),
  );
}

/** The results of a cluster that could not be reached. */
export function notReached(reachable: CheckResult): CheckResult[] {
  return [reachable, ...checkNames.slice(1).map((name) => skipped(name, 'not reached'))];
}
