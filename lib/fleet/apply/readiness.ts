import type { KubeObject } from '../../kube/objects.ts';
import { groupKindOf, type GroupKind } from '../object-key.ts';

/** Whether an object does its work. `failed`: it will not without help. */
export type Readiness =
  { readonly state: 'ready' } | { readonly state: 'waiting' | 'failed'; /** In words. */ readonly reason: string };

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface Rollout extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly updateStrategy?: { readonly type?: string; readonly rollingUpdate?: { readonly partition?: number } };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly readyReplicas?: number;
    readonly currentRevision?: string;
    readonly updateRevision?: string;
    readonly desiredNumberScheduled?: number;
    readonly updatedNumberScheduled?: number;
    readonly numberAvailable?: number;
    readonly conditions?: readonly Condition[];
  };
}

/** Why an object is not ready yet; nothing when it is. */
type Rule = (object: Rollout) => string | undefined;

/** The kinds that work only some time after they were written; every other one is ready at once. */
const rules: Readonly<Record<GroupKind, Rule>> = {
  'Deployment.apps': ({ spec, status = {} }) => {
    const { replicas = 0, updatedReplicas: updated = 0, availableReplicas: available = 0 } = status;
    const wanted = spec?.replicas ?? 1;
    if (updated < wanted) return `${updated} of ${wanted} pods are updated`;
    if (replicas > updated) return `${replicas - updated} old pods are still there`;
    return available < updated ? `${available} of ${updated} updated pods are available` : undefined;
  },
  'StatefulSet.apps': ({ spec, status = {} }) => {
    const { updatedReplicas: updated = 0, readyReplicas: ready = 0, currentRevision, updateRevision } = status;
    const wanted = spec?.replicas ?? 1;
    if (ready < wanted) return `${ready} of ${wanted} pods are ready`;
    if (spec?.updateStrategy?.type === 'OnDelete') return undefined;
    const partition = spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
    const toUpdate = Math.max(0, wanted - partition);
    if (partition > 0) return updated < toUpdate ? `${updated} of ${toUpdate} pods are updated` : undefined;
    return updateRevision === currentRevision ? undefined : `${updated} of ${wanted} pods are updated`;
  },
  'DaemonSet.apps': ({ spec, status = {} }) => {
    const { desiredNumberScheduled: wanted = 0, updatedNumberScheduled: updated = 0, numberAvailable = 0 } = status;
    if (updated < wanted && spec?.updateStrategy?.type !== 'OnDelete')
      return `${updated} of ${wanted} pods are updated`;
    return numberAvailable < wanted ? `${numberAvailable} of ${wanted} pods are available` : undefined;
  },
};

/** Whether objects of a kind are waited for. */
export function isRolledOut({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): boolean {
  return Object.hasOwn(rules, groupKindOf({ apiVersion, kind }));
}

/** Whether an object is ready, as `kubectl rollout status` says it. (kubectl/pkg/polymorphichelpers/rollout_status.go) */
export function readinessOf(object: KubeObject): Readiness {
  if (!isRolledOut(object)) return { state: 'ready' };
  const { metadata, status } = object as Rollout;
  if ((metadata.generation ?? 0) > (status?.observedGeneration ?? 0))
    return { state: 'waiting', reason: 'its controller has not seen the change' };
  const conditions = status?.conditions ?? [];
  const stuck = conditions.find(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded');
  const reason = rules[groupKindOf(object)]!(object as Rollout);
  // Why pods could not even be created, as for a quota.
  const refused = conditions.find(({ type, status: is }) => type === 'ReplicaFailure' && is === 'True')?.message;
  const told = [reason, refused].filter((text) => text !== undefined).join(': ');
  if (stuck !== undefined) return { state: 'failed', reason: told || (stuck.message ?? 'it does not progress') };
  return reason === undefined ? { state: 'ready' } : { state: 'waiting', reason: told };
}
