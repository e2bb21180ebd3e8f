import { isDeepStrictEqual } from 'node:util';
import type { V1Affinity } from '@kubernetes/client-node/dist/gen/models/V1Affinity.js';
import type { V1Toleration } from '@kubernetes/client-node/dist/gen/models/V1Toleration.js';
import type { V1TopologySpreadConstraint } from '@kubernetes/client-node/dist/gen/models/V1TopologySpreadConstraint.js';
import type { Override, PodTemplateOverride } from '../template.ts';

/** On which nodes a pod may run, and before which others. */
export interface PlacementSettings {
  /** Labels that the node must have, merged with inherited ones; `null` removes one or, for the whole, all. @default any node */
  readonly nodeSelector?: Readonly<Record<string, string | null>> | null;
  /** Taints that do not keep the pod away. The list replaces an inherited one, but for what `gpu` and `spot` add; `null` removes it. @default none */
  readonly tolerations?: readonly V1Toleration[] | null;
  /** Rules for nodes and for other pods. Its maps merge, its lists of terms replace inherited ones. @default none */
  readonly affinity?: Override<V1Affinity> | null;
  /** How pods are spread over zones or nodes, merged with inherited rules by `topologyKey`; `null` removes all. @default the cluster's own */
  readonly topologySpread?: readonly V1TopologySpreadConstraint[] | null;
  /** Name of the PriorityClass, which decides who waits and who is preempted. @default the cluster's own */
  readonly priorityClass?: string | null;
  /** Name of the RuntimeClass, such as `gvisor`. @default the node's own runtime */
  readonly runtimeClass?: string | null;
}

export function placement(settings: PlacementSettings): PodTemplateOverride | undefined {
  const { nodeSelector, tolerations, affinity, topologySpread, priorityClass, runtimeClass } = settings;
  const spec = {
    ...(nodeSelector !== undefined && { nodeSelector: nodeSelector && { ...nodeSelector } }),
    ...(tolerations !== undefined && { tolerations: tolerations && [...tolerations] }),
    ...(affinity !== undefined && { affinity }),
    ...(topologySpread !== undefined && { topologySpreadConstraints: topologySpread && [...topologySpread] }),
    ...(priorityClass !== undefined && { priorityClassName: priorityClass }),
    ...(runtimeClass !== undefined && { runtimeClassName: runtimeClass }),
  };
  return Object.keys(spec).length > 0 ? { spec } : undefined;
}

/** Puts tolerations in the place of others, whatever else is tolerated; the list itself Kubernetes only replaces. */
export function changeTolerations(old: readonly V1Toleration[] = [], fresh: readonly V1Toleration[] = []) {
  return (inherited: V1Toleration[] = []): V1Toleration[] | null => {
    const has = (list: readonly V1Toleration[], one: V1Toleration) => list.some((own) => isDeepStrictEqual(own, one));
    const kept = inherited.filter((own) => has(fresh, own) || !has(old, own));
    const changed = [...kept, ...fresh.filter((one) => !has(kept, one))];
    return changed.length > 0 ? changed : null;
  };
}
