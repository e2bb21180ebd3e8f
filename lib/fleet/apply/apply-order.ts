import type { KubeObject } from '../../kube/objects.ts';

/**
 * Kinds in the order in which they are written: what others refer to comes first, what starts work comes last. A plan that
 * fires between two writes must find its graph, its templates and its service account.
 */
const order: readonly (readonly string[])[] = [
  ['Namespace', 'CustomResourceDefinition', 'PriorityClass', 'RuntimeClass', 'StorageClass'],
  [
    'ServiceAccount',
    'ResourceQuota',
    'LimitRange',
    'Secret',
    'PersistentVolume',
    'PersistentVolumeClaim',
    'NetworkPolicy',
  ],
  ['ClusterRole', 'Role'],
  ['ClusterRoleBinding', 'RoleBinding'],
  ['PodTemplate'],
  ['ConfigMap', 'Service', 'Lease', 'PodDisruptionBudget'],
];

const UNKNOWN = order.length;
const workloads = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'CronJob', 'Job', 'Pod']);

function rankOf(kind: string): number {
  if (workloads.has(kind)) return UNKNOWN + 1;
  const rank = order.findIndex((kinds) => kinds.includes(kind));
  return rank < 0 ? UNKNOWN : rank;
}

/** Objects in groups: those of one group may be written at the same time, and a group after the one before it. */
export function inApplyOrder<T extends { readonly object: KubeObject }>(items: readonly T[]): T[][] {
  const ranks = Map.groupBy(items, ({ object }) => rankOf(object.kind));
  return [...ranks].sort(([a], [b]) => a - b).map(([, group]) => group);
}
