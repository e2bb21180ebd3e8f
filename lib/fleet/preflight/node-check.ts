import { firstOf } from '../../values/first-of.ts';
import { failed, warning, type Finding } from './check-result.ts';
import { nodeMismatches, type NodeObject } from '../../pods/node-match.ts';
import { podAmounts, type ContainerDefaults } from '../../pods/pod-amounts.ts';
import type { PlanAsk } from './plan-asks.ts';

/** How many nodes are told as the nearest. */
const NEAREST = 3;

/**
 * Steps that no node could hold even if it were empty: by its labels, taints, readiness and what it has of every resource. Steps
 * with the same needs are told once.
 *
 * @param defaultsOf what LimitRanges fill in, by namespace
 */
export function nodeFindings(
  plans: readonly PlanAsk[],
  nodes: readonly NodeObject[],
  defaultsOf: (namespace: string) => ContainerDefaults,
): Finding[] {
  const unplaced = new Map<
    string,
    { readonly steps: Set<string>; readonly plans: Set<string>; readonly fix: string }
  >();
  const placed = new Map<string, string | undefined>();
  for (const plan of plans)
    for (const { step, template } of plan.runs.flatMap(({ pods }) => pods)) {
      const { spec } = template;
      if (spec === undefined) continue;
      const { requests } = podAmounts(spec, defaultsOf(plan.namespace));
      const { nodeSelector, tolerations, affinity } = spec;
      const needs = JSON.stringify([nodeSelector, tolerations, affinity?.nodeAffinity, [...requests].map(String)]);
      if (!placed.has(needs)) placed.set(needs, nearestNodes(spec, requests, nodes));
      const nearest = placed.get(needs);
      if (nearest === undefined) continue;
      const entry = unplaced.get(needs) ?? { steps: new Set(), plans: new Set(), fix: nearest };
      entry.steps.add(step);
      entry.plans.add(plan.name);
      unplaced.set(needs, entry);
    }
  return [...unplaced.values()].map(({ steps, plans: of, fix }) => {
    const [first, ...others] = of;
    const whose = others.length === 0 ? first : `${first} and ${others.length} more`;
    return failed(`no node can hold ${firstOf([...steps])} (${whose}): ${fix}`, FIX);
  });
}

const FIX = 'correct what the step asks for, or see that such a node comes, as by an autoscaler';

/** Nothing when a node fits, else the nodes that lack least and what they lack. */
function nearestNodes(
  spec: Parameters<typeof nodeMismatches>[0],
  requests: Parameters<typeof nodeMismatches>[1],
  nodes: readonly NodeObject[],
): string | undefined {
  if (nodes.length === 0) return 'the cluster has no nodes';
  const all = nodes.map((node) => ({ name: node.metadata.name, lacks: nodeMismatches(spec, requests, node) }));
  if (all.some(({ lacks }) => lacks.length === 0)) return undefined;
  const least = Math.min(...all.map(({ lacks }) => lacks.length));
  // Nodes of one kind lack the same, and are told together.
  const kinds = Map.groupBy(
    all.filter(({ lacks }) => lacks.length === least),
    ({ lacks }) => lacks.map(({ text }) => text).join(' and '),
  );
  const told = [...kinds].slice(0, NEAREST).map(([lacks, [one, ...more]]) => {
    const rest = more.length === 0 ? '' : ` and ${more.length} more`;
    return `${one!.name}${rest} (${lacks})`;
  });
  return `the nearest ${told.length === 1 ? 'is' : 'are'} ${told.join('; ')}`;
}

/** What could not be looked at, for want of manifests or of sense in them; once for all plans with the same. */
export function unknownFindings(plans: readonly PlanAsk[]): Finding[] {
  const reasons = Map.groupBy(
    plans.flatMap(({ name, unknown }) => unknown.map((what) => ({ name, what }))),
    ({ what }) => what,
  );
  return [...reasons].map(([what, of]) =>
    warning(`what it asks for is not known: ${firstOf([...new Set(of.map(({ name }) => name))])}: ${what}`),
  );
}
