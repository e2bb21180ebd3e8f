import type { Labels } from '../values/label-selector.ts';
import type { ClusterCapabilities } from './capabilities.ts';

/** The file beside the clusters' directories that says what goes where; written by synth, read by commands. */
export const PLACEMENT_FILE = 'placement.json';

/** The name of a fleet that was given none. */
export const DEFAULT_FLEET = 'default';

/** How a cluster of the fleet is reached, and what is known of it. */
export interface PlacedCluster {
  /** Context of the kubeconfig. @default the current one */
  readonly context?: string;
  /** The UID of its namespace `kube-system`. @default any */
  readonly uid?: string;
  /** For objects that name no namespace. @default the context's */
  readonly namespace?: string;
  /** What plans select it by. @default none */
  readonly labels?: Labels;
  /** Its share of the plans that may go to several clusters, beside theirs. @default 1 */
  readonly weight?: number;
  /** A disabled cluster has no directory, and no plan is on it. */
  readonly enabled: boolean;
  /** What it holds. @default nothing is known */
  readonly capabilities?: ClusterCapabilities;
}

export interface Placement {
  /** Which fleet it is, for those who look after several. */
  readonly fleet: string;
  readonly clusters: Readonly<Record<string, PlacedCluster>>;
  /** Where each plan is, and why there, by {@link planKey}. */
  readonly plans: Readonly<Record<string, PlanPlacement>>;
}

/** A cluster, and why it was chosen, in words, such as `the only cluster with tier=prod`. */
export interface ChosenCluster {
  readonly cluster: string;
  readonly reason: string;
}

/** Where a plan is active; of one that is active {@link everywhere}, the first of those clusters. */
export interface PlanPlacement extends ChosenCluster {
  /** Where it is present and suspended, the first to take over first. @default nowhere */
  readonly backups?: readonly ChosenCluster[];
  /** All clusters that it is active on, when it was asked to be on more than one. @default only `cluster` */
  readonly everywhere?: readonly string[];
}

/** The names of the clusters that are in use: those with a directory. */
export function enabledClusters({ clusters }: Placement): readonly string[] {
  return Object.entries(clusters).flatMap(([name, { enabled }]) => (enabled ? [name] : []));
}

/** The clusters that a plan is active on: one, unless it is active everywhere. */
export function activeClusters({ cluster, everywhere }: PlanPlacement): readonly string[] {
  return everywhere ?? [cluster];
}

/** A plan's key in a placement: its name; `<namespace>/<name>` when its chart names the namespace, and not the cluster. */
export function planKey(name: string, namespace?: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** The name of the CronJob of a {@link planKey}, and its namespace when the key has one. */
export function planOfKey(key: string): { readonly name: string; readonly namespace?: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { name: key.slice(slash + 1), namespace: key.slice(0, slash) };
}
