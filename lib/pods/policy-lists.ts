import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../values/json.ts';
import { show } from '../values/problems.ts';
import { layerName } from './layer.ts';
import type { MergeContext } from './merge-context.ts';
import { canMatch, conjoinTerms } from './node-affinity.ts';
import type { MapNode } from './node.ts';
import { originOf, valueOf } from './node.ts';
import type { PodTemplate } from './template.ts';

type Conjunction = (inherited: readonly Json[], held: readonly Json[]) => readonly Json[];

const both: Conjunction = (inherited, held) => [
  ...inherited,
  ...held.filter((item) => !inherited.some((own) => isDeepStrictEqual(own, item))),
];

// All terms of pod affinity hold, and preferred ones add up, so more of them never weaken; a toleration only allows.
const conjunctions: Readonly<Record<string, Conjunction>> = {
  'PodSpec.tolerations': both,
  'NodeAffinity.preferredDuringSchedulingIgnoredDuringExecution': both,
  'PodAffinity.requiredDuringSchedulingIgnoredDuringExecution': both,
  'PodAffinity.preferredDuringSchedulingIgnoredDuringExecution': both,
  'PodAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution': both,
  'PodAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution': both,
  'Capabilities.drop': both,
  'ObjectMeta.finalizers': both,
  'NodeSelector.nodeSelectorTerms': ((inherited: never, held: never) =>
    conjoinTerms(inherited, held)) as unknown as Conjunction,
};

/** What holds of a list when both sides hold; nothing for lists where only one side can. An empty list says that they exclude each other. */
export function conjoin(field: string, inherited: Json, held: Json): readonly Json[] | undefined {
  const conjunction = conjunctions[field];
  if (conjunction === undefined || !Array.isArray(inherited) || !Array.isArray(held)) return undefined;
  return conjunction(inherited as readonly Json[], held as readonly Json[]);
}

/** Tells when no node can have the labels of the node selector and match the required affinity. */
export function checkPlacement(root: MapNode, context: MergeContext): void {
  const { spec } = valueOf(root) as PodTemplate;
  const { nodeSelector, affinity } = spec ?? {};
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (!nodeSelector || !terms || !terms.some((term) => canMatch(term))) return;
  if (terms.some((term) => canMatch(term, nodeSelector))) return;
  const selectorNode = (root.live('spec') as MapNode).live('nodeSelector') as MapNode;
  const layers = [...selectorNode.fields.values()].map((node) => layerName(originOf(node).layer));
  context.problems.push({
    path: 'spec.nodeSelector',
    message: `${show(nodeSelector)} (${[...new Set(layers)].join(', ')}) matches no node that the required node affinity of ${layerName(context.layer)} allows`,
    fix: 'leave out the labels that the policy excludes, or have the policy changed',
  });
}
