import type { V1NodeSelectorTerm } from '@kubernetes/client-node/dist/gen/models/V1NodeSelectorTerm.js';
import type { V1Toleration } from '@kubernetes/client-node/dist/gen/models/V1Toleration.js';
import { conjoinTerms } from '../node-affinity.ts';
import type { PodTemplateOverride } from '../template.ts';
import { changeTolerations } from './placement.ts';

/** How a cluster marks nodes that may be taken away. */
export interface Spot {
  /** Labels of such nodes. @default those of the clouds, any of them */
  readonly selector?: Readonly<Record<string, string>>;
  /** Lets the pod onto them where a taint keeps others away. @default those of the clouds with `true`, else none */
  readonly toleration?: V1Toleration | readonly V1Toleration[];
}

export interface SpotSettings {
  /**
   * Whether pods run on nodes that are cheaper and may be taken away at any time. `true` asks for a node that GKE, EKS,
   * AKS or Karpenter marks as such. A step's last attempt after failures of the platform goes to any node, so that it
   * ends even on a bad day. A single task, whose attempts are Kubernetes' own, stays on spot. @default false
   *
   * @example
   * spot: { selector: { 'acme.example/pool': 'spot' }, toleration: { key: 'acme.example/spot', operator: 'Exists' } }
   */
  readonly spot?: boolean | Spot | null;
}

// As the pages on spot nodes of GKE, AKS, EKS (managed node groups) and Karpenter (well-known labels) have them. AKS taints
// such nodes; GKE's have the same taint where it, or whoever made the node pool, set one. Those of the others have none.
const clouds: readonly { readonly label: string; readonly value: string; readonly tainted?: boolean }[] = [
  { label: 'cloud.google.com/gke-spot', value: 'true', tainted: true },
  { label: 'kubernetes.azure.com/scalesetpriority', value: 'spot', tainted: true },
  { label: 'eks.amazonaws.com/capacityType', value: 'SPOT' },
  { label: 'karpenter.sh/capacity-type', value: 'spot' },
];

/** What makes a pod run on spot nodes. It goes over all other settings, so that it can be left out as a whole. */
export function spotFragment({ spot }: SpotSettings): PodTemplateOverride | undefined {
  if (!spot) return undefined;
  const { selector, toleration = [] } = spot === true ? { toleration: cloudTolerations() } : spot;
  const tolerations = [toleration].flat() as readonly V1Toleration[];
  return {
    spec: {
      ...(selector && { nodeSelector: { ...selector } }),
      ...(!selector && { affinity: { nodeAffinity: required(cloudTerms()) } }),
      ...(tolerations.length > 0 && { tolerations: changeTolerations([], tolerations) }),
    },
  };
}

/** What a step inherits of it. */
export function inheritSpot(now: SpotSettings, before: SpotSettings): SpotSettings['spot'] {
  if (now.spot === undefined) return before.spot;
  const both = typeof now.spot === 'object' && typeof before.spot === 'object';
  return both && now.spot ? { ...before.spot, ...now.spot } : now.spot;
}

function required(terms: V1NodeSelectorTerm[]) {
  return {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: (inherited: V1NodeSelectorTerm[] | undefined) =>
        inherited?.length ? conjoinTerms(inherited, terms) : terms,
    },
  };
}

function cloudTerms(): V1NodeSelectorTerm[] {
  return clouds.map(({ label, value }) => ({ matchExpressions: [{ key: label, operator: 'In', values: [value] }] }));
}

function cloudTolerations(): V1Toleration[] {
  return clouds
    .filter(({ tainted }) => tainted)
    .map(({ label, value }) => ({ key: label, operator: 'Equal', value, effect: 'NoSchedule' }));
}
