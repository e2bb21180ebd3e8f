import type { IConstruct } from 'constructs';
import { annotations } from '../lib/graph/labels.ts';
import { placePlan, type ClusterChoice, type ClusterSelector, type PlacementRequest } from '../lib/graph/place-plan.ts';
import { activeClusters, planKey, type PlanPlacement } from '../lib/graph/placement.ts';
import type { Problem } from '../lib/values/problems.ts';
import { clusterContext } from './cluster.ts';

/** Where a plan is. */
export interface PlacementProps {
  /**
   * Where it is active: one cluster, by its name or by what its labels are, or with `all` every cluster, or every one that matches.
   * On each of all it fires by itself: what it does is done once per cluster.
   * @default that of its workflow, else the fleet's default cluster, or its only one
   */
  readonly cluster?: ClusterChoice;
  /**
   * Where it is present and suspended, so that it can take over: the first is first. Each is another cluster than those before it.
   * @default those of its workflow when `cluster` is left out too, else none
   */
  readonly backups?: readonly ClusterSelector[];
}

/** What a plan is on the cluster that is being synthesized. */
export type PlanPlace = { readonly problems: readonly Problem[] } & (
  | { readonly role: 'active' | 'elsewhere' }
  | {
      readonly role: 'backup';
      /** The cluster that it is active on. */
      readonly of: string;
      /** 1 for the first to take over. */
      readonly rank: number;
    }
);

/** Places a plan, and notes it for `placement.json`. Without a fleet there is one place only. */
export function placeHere(
  plan: IConstruct & { readonly name: string; readonly namespace: string | undefined },
  own: PlacementProps,
  workflow: { readonly placement: PlacementProps } | undefined,
): PlanPlace {
  const context = clusterContext(plan);
  if (context === undefined) return { role: 'active', problems: [...withoutFleet(own)] };
  const request = requestOf(own, workflow?.placement ?? {}, context.defaultCluster);
  const { placement, problems } = placePlan(plan.name, request, context.clusters);
  if (placement === undefined) return { role: 'elsewhere', problems };
  context.plans.set(planKey(plan.name, plan.namespace), placement);
  return { ...roleOn(context.cluster.name, placement), problems };
}

/** What says on the CronJob of a backup whose it is. */
export function backupNotes(place: PlanPlace, staysSuspended: boolean): Readonly<Record<string, string>> {
  if (place.role !== 'backup') return {};
  return {
    [annotations.backupOf]: place.of,
    [annotations.backupRank]: String(place.rank),
    ...(staysSuspended && { [annotations.staysSuspended]: 'true' }),
  };
}

function requestOf(
  plan: PlacementProps,
  workflow: PlacementProps,
  defaultCluster: ClusterChoice | undefined,
): PlacementRequest {
  const { cluster, backups } = plan;
  if (cluster !== undefined) return { cluster, backups, by: 'plan' };
  const standBy =
    backups === undefined
      ? ({ backups: workflow.backups, backupsBy: 'workflow' } as const)
      : ({ backups, backupsBy: 'plan' } as const);
  if (workflow.cluster !== undefined) return { cluster: workflow.cluster, by: 'workflow', ...standBy };
  return { cluster: defaultCluster, by: 'fleet', ...standBy };
}

function roleOn(cluster: string, placement: PlanPlacement) {
  if (activeClusters(placement).includes(cluster)) return { role: 'active' } as const;
  const rank = (placement.backups ?? []).findIndex((backup) => backup.cluster === cluster) + 1;
  return rank === 0 ? ({ role: 'elsewhere' } as const) : ({ role: 'backup', of: placement.cluster, rank } as const);
}

function* withoutFleet({ cluster, backups }: PlacementProps): Generator<Problem> {
  for (const [path, value] of Object.entries({ cluster, backups }))
    if (value !== undefined)
      yield { path, message: 'is set, but the app belongs to no fleet', fix: 'synthesize it from a Fleet' };
}
