import type { Orphan } from '../../../fleet/prune/orphans.ts';
import type { PruneLimit } from '../../../fleet/prune/prune-limit.ts';
import { firstOf } from '../../../values/first-of.ts';
import type { Colors } from '../../terminal/output.ts';
import type { ApplySession } from './apply-session.ts';

/** Names that are listed for a cluster; the others are counted. */
const LISTED = 5;

/** A line a cluster with what nobody will delete there, and one when nothing ever is deleted as there is no inventory. */
export function orphanLines(
  sessions: readonly Pick<ApplySession, 'orphans' | 'target' | 'title'>[],
  { pruneLimit, yesDelete }: { readonly pruneLimit?: PruneLimit; readonly yesDelete?: boolean },
  colors: Colors,
): readonly string[] {
  const note = colors.yellow('note:');
  const found = sessions.flatMap(({ orphans, title }) =>
    orphans.length > 0 ? `${note} ${title}: ${told(orphans)}` : [],
  );
  const unlisted = sessions.filter(({ target }) => target.inventory === undefined);
  const isAsked = pruneLimit !== undefined || yesDelete === true;
  if (!unlisted.some(({ orphans }) => isAsked || orphans.length > 0)) return found;
  const [whose, fix] = unlisted.some(({ target }) => target.cluster !== undefined)
    ? ['a fleet without a name', 'give the fleet a name, or --applyset']
    : ['a directory without a fleet', 'give it one by --applyset'];
  return [...found, `${note} ${whose} has no inventory, so apply never deletes what leaves it; ${fix}`];
}

function told(orphans: readonly Orphan[]): string {
  const names = orphans.map(({ kind, name, namespace }) => `${kind} ${namespace ?? ''}/${name}`);
  const [count, are] = orphans.length === 1 ? ['one object', 'is'] : [`${orphans.length} objects`, 'are'];
  return (
    `${count} of this project ${are} in no inventory and not in the directory: ${firstOf(names, LISTED)}; ` +
    'kubectl delete what nobody needs, unless it is applied from elsewhere'
  );
}
