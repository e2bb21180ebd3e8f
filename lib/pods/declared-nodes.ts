import { nodeMismatches, type NodeMismatch, type NodeObject, type Taint } from './node-match.ts';
import { podAmounts } from './pod-amounts.ts';
import type { PodTemplate } from './template.ts';

type PodSpec = NonNullable<PodTemplate['spec']>;

/** Nodes of a cluster, as far as somebody wrote down what they are like. */
export interface DeclaredNodes {
  readonly labels?: Readonly<Record<string, string>>;
  /** Left out, nothing is known. */
  readonly allocatable?: Readonly<Record<string, string | number>>;
  readonly taints?: readonly Taint[];
}

/** Labels that nodes have without anybody saying so. (kubelet and cloud providers: kubernetes.io/docs/reference/labels-annotations-taints) */
const GIVEN =
  /^(beta\.)?kubernetes\.io\/(os|arch|hostname)$|^node\.kubernetes\.io\/instance-type$|^topology\.kubernetes\.io\//;

/** Why nodes as they are declared cannot hold a pod, as far as that is known; nothing when they could. */
export function declaredMismatches(spec: PodSpec, declared: DeclaredNodes): readonly NodeMismatch[] {
  const { labels = {}, allocatable, taints } = declared;
  const unknown = (key: string) => GIVEN.test(key) && !(key in labels);
  const nodeSelector = Object.fromEntries(Object.entries(spec.nodeSelector ?? {}).filter(([key]) => !unknown(key)));
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const guessed = terms.some(
    ({ matchExpressions = [], matchFields = [] }) =>
      matchFields.length > 0 || matchExpressions.some(({ key }) => unknown(key)),
  );
  const asked = [...podAmounts(spec).requests].filter(
    ([resource]) => allocatable !== undefined && (resource.includes('/') || resource in allocatable),
  );
  const amounts = Object.entries(allocatable ?? {}).map(([resource, amount]) => [resource, String(amount)]);
  const node: NodeObject = {
    metadata: { name: '', labels },
    spec: { taints },
    status: { allocatable: Object.fromEntries(amounts) as Record<string, string> },
  };
  const known = { ...spec, nodeName: undefined, nodeSelector, ...(guessed && { affinity: undefined }) };
  return nodeMismatches(known, new Map(asked), node);
}
