import { unitHash } from '../values/hash.ts';
import { show, suggest, type Problem } from '../values/problems.ts';

/** The file beside the clusters' directories that says what goes where; written by synth, read by `apply`. */
export const PLACEMENT_FILE = 'placement.json';

/** How a cluster of the fleet is reached. */
export interface PlacedCluster {
  /** Context of the kubeconfig. @default the current one */
  readonly context?: string;
  /** For objects that name no namespace. @default the context's */
  readonly namespace?: string;
}

export interface Placement {
  readonly clusters: Readonly<Record<string, PlacedCluster>>;
  /** Where each plan is active, and why there. */
  readonly plans: Readonly<Record<string, PlanPlacement>>;
}

export interface PlanPlacement {
  readonly cluster: string;
  /** In words, such as `the only cluster with tier=prod`. */
  readonly reason: string;
}

/** A cluster by name, or any one whose labels match. */
export type ClusterSelector = string | { readonly matchLabels: Readonly<Record<string, string>> };

/** What is placed on. */
export interface PlacementTarget {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * The one cluster for a plan. Of several that match, the plan's name decides by rendezvous hashing: adding or
 * removing a cluster moves only the plans that it takes or had.
 */
export function placePlan(
  plan: string,
  selector: ClusterSelector | undefined,
  clusters: readonly PlacementTarget[],
): PlanPlacement | Problem {
  const names = clusters.map((cluster) => cluster.name);
  if (typeof selector === 'string') {
    if (names.includes(selector)) return { cluster: selector, reason: 'named by the plan' };
    return { path: 'cluster', message: `there is no cluster ${show(selector)}`, fix: suggest(selector, names) };
  }
  if (selector === undefined) {
    if (clusters.length === 1) return { cluster: names[0]!, reason: 'the only cluster' };
    return {
      path: 'cluster',
      message: `must be set: the fleet has the clusters ${names.join(', ')}`,
      fix: 'name one, or give the fleet a defaultCluster',
    };
  }
  const wanted = Object.entries(selector.matchLabels);
  const matching = clusters.filter(({ labels }) => wanted.every(([key, value]) => labels?.[key] === value));
  const text = wanted.map(([key, value]) => `${key}=${value}`).join(',');
  if (matching.length === 0)
    return { path: 'cluster', message: `no cluster has the labels ${text}`, fix: nearest(wanted, clusters) };
  if (matching.length === 1) return { cluster: matching[0]!.name, reason: `the only cluster with ${text}` };
  const weight = (cluster: PlacementTarget) => unitHash(`${plan}/${cluster.name}`);
  const chosen = matching.reduce((best, cluster) => (weight(cluster) > weight(best) ? cluster : best));
  return { cluster: chosen.name, reason: `by the hash of its name among the ${matching.length} clusters with ${text}` };
}

function nearest(wanted: readonly (readonly [string, string])[], clusters: readonly PlacementTarget[]): string {
  const score = ({ labels }: PlacementTarget) => wanted.filter(([key, value]) => labels?.[key] === value).length;
  const best = clusters.reduce((a, b) => (score(b) > score(a) ? b : a));
  const has = Object.entries(best.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return `the nearest is ${best.name}, with ${has.join(',') || 'no labels'}`;
}
