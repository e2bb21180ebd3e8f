import { failoverOf, isActive, staysSuspended, type PlanObject } from './failover-record.ts';

/** A plan's CronJob on one cluster: as it is, not there, or on a cluster that cannot be reached. */
export type Sight = PlanObject | 'absent' | 'unreachable';

/** A plan on the clusters that matter to a failover. */
export interface PlanSight {
  /** As in `placement.json`. */
  readonly plan: string;
  /** On the cluster that it belongs on. */
  readonly home: Sight;
  /** On the backup. */
  readonly backup: Sight;
  /** On its other backups, by the names of the clusters. */
  readonly others: Readonly<Record<string, Sight>>;
}

/** What is done on one cluster, or how it is there already. */
export type SideState = 'suspend' | 'activate' | 'suspended' | 'active' | 'absent' | 'unreachable';

/** What becomes of one plan. */
export interface Move {
  readonly plan: string;
  /** `switch`: it is done; `done`: it was done before; `stays`: there is nothing to do; `refused`: it must not be done. */
  readonly verdict: 'switch' | 'done' | 'stays' | 'refused';
  /** On the cluster that the plan belongs on. */
  readonly home: SideState;
  readonly backup: SideState;
  /** Why it stays or is refused, or what else there is to know. */
  readonly note?: string;
}

/** The names of the clusters, and what the user takes upon themselves. */
export interface MoveOptions {
  readonly home: string;
  readonly backup: string;
  /** Go on although a cluster that cannot be reached may run the plan, too. */
  readonly force: boolean;
}

/**
 * What a failover does with a plan. It never makes a plan active on the backup that is or may be active elsewhere, unless forced; and
 * it leaves alone what somebody switched off.
 */
export function failoverMove(sight: PlanSight, { home, backup, force }: MoveOptions): Move {
  const { plan } = sight;
  const sides = { home: stateOf(sight.home), backup: stateOf(sight.backup) };
  const end = (verdict: 'stays' | 'refused', note: string): Move => ({ plan, verdict, ...sides, note });
  if (sight.backup === 'unreachable') return end('refused', `${backup} cannot be reached`);
  if (sight.backup === 'absent') return end('refused', `it is not on ${backup}; apply it there first`);
  if (staysSuspended(sight.backup)) return end('stays', `it is suspended on ${home} too, or has no schedule`);
  const elsewhere = takenBy(sight, home, backup);
  if (elsewhere !== undefined) return end('refused', `it was switched to ${elsewhere} already; failback ${home} first`);
  const unseen = Object.entries(sight.others).flatMap(([name, other]) => (other === 'unreachable' ? [name] : []));
  if (sight.home === 'unreachable') unseen.unshift(home);
  if (unseen.length > 0 && !force)
    return end('refused', `it may be active on ${unseen.join(', ')}, which cannot be reached: it could run twice`);
  const record = isObject(sight.home) ? failoverOf(sight.home) : undefined;
  if (isObject(sight.home) && !isActive(sight.home) && record === undefined)
    return end('stays', `somebody suspended it on ${home}`);
  const from = isObject(sight.home) && isActive(sight.home) ? 'suspend' : sides.home;
  const recorded = failoverOf(sight.backup)?.from === home;
  if (from !== 'suspend' && isActive(sight.backup) && recorded)
    return { plan, verdict: 'done', ...sides, ...noted(goingOn(sight.home, home)) };
  const to = isActive(sight.backup) ? 'active' : 'activate';
  return { plan, verdict: 'switch', home: from, backup: to, ...noted(goingOn(sight.home, home)) };
}

/** What a failback does with a plan that a failover switched: the same the other way. */
export function failbackMove(sight: PlanSight, { home, backup, force }: MoveOptions): Move {
  const { plan } = sight;
  const sides = { home: stateOf(sight.home), backup: stateOf(sight.backup) };
  const end = (verdict: 'stays' | 'refused', note: string): Move => ({ plan, verdict, ...sides, note });
  if (sight.home === 'unreachable') return end('refused', `${home} cannot be reached`);
  if (sight.home === 'absent') return end('refused', `it is not on ${home}; apply it there first`);
  if (sight.backup === 'unreachable' && !force)
    return end('refused', `it may be active on ${backup}, which cannot be reached: it could run twice`);
  const to = isObject(sight.backup) && isActive(sight.backup) ? 'suspend' : sides.backup;
  const from = !isActive(sight.home) && failoverOf(sight.home) !== undefined ? 'activate' : sides.home;
  const note = from === 'suspended' ? `it stays suspended on ${home}, by somebody else` : goingOn(sight.backup, backup);
  return { plan, verdict: 'switch', home: from, backup: to, ...noted(note) };
}

/** The other backup that a failover made it active on. */
function takenBy({ home: at, others }: PlanSight, home: string, backup: string): string | undefined {
  const told = isObject(at) && !isActive(at) ? failoverOf(at) : undefined;
  if (told?.from === home && told.to !== backup) return told.to;
  return Object.entries(others).find(
    ([, other]) => isObject(other) && isActive(other) && failoverOf(other)?.from === home,
  )?.[0];
}

function goingOn(sight: Sight, cluster: string): string | undefined {
  if (sight === 'unreachable') return `nobody knows whether it is active on ${cluster}`;
  const count = isObject(sight) ? (sight.status?.active?.length ?? 0) : 0;
  if (count === 0) return undefined;
  return count === 1 ? `a run goes on on ${cluster}` : `${count} runs go on on ${cluster}`;
}

function noted(note: string | undefined): Pick<Move, 'note'> {
  return note === undefined ? {} : { note };
}

function stateOf(sight: Sight): SideState {
  return isObject(sight) ? (isActive(sight) ? 'active' : 'suspended') : sight;
}

function isObject(sight: Sight): sight is PlanObject {
  return typeof sight === 'object';
}
