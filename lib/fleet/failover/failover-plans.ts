import { activeClusters, type Placement } from '../../graph/placement.ts';
import { show, suggest, type Problem } from '../../values/problems.ts';

/** A plan that a backup may take over. */
export interface BackedPlan {
  /** As in `placement.json`. */
  readonly plan: string;
  /** Its backups but the one. */
  readonly others: readonly string[];
}

/** The plans that belong on a cluster and name another among their backups. */
export function plansBackedBy({ plans }: Placement, home: string, backup: string): BackedPlan[] {
  return Object.entries(plans).flatMap(([plan, placed]) => {
    const backups = (placed.backups ?? []).map(({ cluster }) => cluster);
    if (!activeClusters(placed).includes(home) || !backups.includes(backup)) return [];
    return [{ plan, others: backups.filter((name) => name !== backup) }];
  });
}

/** The backups of the plans that belong on a cluster, those of most plans first. */
export function backupsOf({ plans }: Placement, home: string): string[] {
  const counts = new Map<string, number>();
  for (const placed of Object.values(plans))
    if (activeClusters(placed).includes(home))
      for (const { cluster } of placed.backups ?? []) counts.set(cluster, (counts.get(cluster) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([cluster]) => cluster);
}

/** What of the plans that the user named is not among those that there are. */
export function unknownPlans(named: readonly string[], known: readonly string[]): Problem[] {
  return named
    .filter((name) => !known.includes(name))
    .map((name) => ({ path: '--plan', message: `${show(name)} is none of these plans`, fix: suggest(name, known) }));
}
