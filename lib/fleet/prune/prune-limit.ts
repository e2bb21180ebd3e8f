import type { ApplyFailure } from '../apply/apply-result.ts';

/** How many objects one apply may delete from a cluster: so many, or such a share of the members of its inventory. */
export type PruneLimit = { readonly count: number } | { readonly percent: number };

/** Half of an inventory: more than that goes by mistake most often, such as a wrong directory. */
export const DEFAULT_PRUNE_LIMIT: PruneLimit = { percent: 50 };

/** So few may go in any case when no limit was given: in a small inventory each object is a large share. */
const FEW = 5;

/** Whether a limit forbids to delete so many of so many members. */
export function exceeds(limit: PruneLimit | undefined, deleted: number, members: number): boolean {
  return deleted > allowed(limit, members);
}

/** Reads `20` or `25%`; nothing when it is neither. */
export function parsePruneLimit(text: string): PruneLimit | undefined {
  const [, number, percent] = /^(\d{1,6})(%?)$/.exec(text.trim()) ?? [];
  if (number === undefined) return undefined;
  if (percent === '') return { count: Number(number) };
  return Number(number) <= 100 ? { percent: Number(number) } : undefined;
}

/** Why so many deletions are refused. */
export function limitFailure(limit: PruneLimit | undefined, deleted: number, members: number): ApplyFailure {
  return {
    message: `it would delete ${deleted} of ${members} objects, and --prune-limit allows ${allowed(limit, members)}`,
    fix: 'check that this is the right directory; then give --yes-delete, or --no-prune to delete nothing',
  };
}

function allowed(limit: PruneLimit | undefined, members: number): number {
  const given = limit ?? DEFAULT_PRUNE_LIMIT;
  if ('count' in given) return given.count;
  const share = Math.floor((members * given.percent) / 100);
  return limit === undefined ? Math.max(FEW, share) : share;
}
