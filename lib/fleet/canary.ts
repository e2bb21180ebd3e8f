import { labels } from '../graph/labels.ts';
import type { KubeObject } from '../kube/objects.ts';
import { unitHash } from '../values/hash.ts';
import { nextOf, plannedGraph } from './held-plan.ts';
import { objectKey } from './object-key.ts';

/** How many of a hundred of its plans go to a new version, by group; `*` is every other group. */
export type Canary = Readonly<Record<string, number>>;

/** Every group that no share is given of by its name. */
export const ALL_GROUPS = '*';

/** Reads `10%`, or `sites=10%` of one group; nothing when it is neither. */
export function parseCanary(text: string): readonly [group: string, percent: number] | undefined {
  const [, group = ALL_GROUPS, share] = /^(?:([^=]+)=)?(\d{1,3}(?:\.\d+)?)%$/.exec(text.trim()) ?? [];
  const percent = Number(share);
  return percent >= 0 && percent <= 100 ? [group, percent] : undefined;
}

/** What becomes of the plans whose manifests name another version than they have, by {@link objectKey}. Those in neither go to it for good. */
export interface VersionMoves {
  /** They stay at the version they have. */
  readonly held: ReadonlySet<string>;
  /** They go to it as the share of their group that is to go first. */
  readonly first: ReadonlySet<string>;
}

/**
 * Which plans are held. Of a group with a share: all but so many of its plans, of which the hashes of their names decide, so that a larger share
 * only adds to them. Of others: those that are held already.
 *
 * @param canary @default no share is given of any group
 * @param release Let go of those that are held already. @default false
 */
export function versionMoves(
  wanted: readonly KubeObject[],
  live: ReadonlyMap<string, KubeObject>,
  canary: Canary = {},
  release = false,
): VersionMoves {
  const plans = wanted.filter((object) => plannedGraph(object) !== undefined);
  const chosen = new Set([...groupsOf(plans)].flatMap(([group, members]) => firstOf(members, shareOf(canary, group))));
  const held = new Set<string>();
  const first = new Set<string>();
  for (const object of plans) {
    const key = objectKey(object);
    const found = live.get(key);
    const graph = found && plannedGraph(found);
    if (graph === undefined || graph === plannedGraph(object)) continue;
    const group = object.metadata.labels?.[labels.group];
    if (group === undefined || shareOf(canary, group) === undefined) {
      if (!release && nextOf(found!) !== undefined) held.add(key);
    } else if (chosen.has(key)) first.add(key);
    else held.add(key);
  }
  return { held, first };
}

function shareOf(canary: Canary, group: string): number | undefined {
  return canary[group] ?? canary[ALL_GROUPS];
}

function groupsOf(plans: readonly KubeObject[]): ReadonlyMap<string, readonly KubeObject[]> {
  return Map.groupBy(
    plans.filter(({ metadata }) => metadata.labels?.[labels.group] !== undefined),
    ({ metadata }) => metadata.labels![labels.group]!,
  );
}

/** Of a share that is not nothing, at least one. */
function firstOf(members: readonly KubeObject[], percent = 100): readonly string[] {
  const inOrder = members
    .map((object) => ({ key: objectKey(object), hash: unitHash(object.metadata.name) }))
    .sort((a, b) => a.hash - b.hash || (a.key < b.key ? -1 : 1));
  return inOrder.slice(0, Math.ceil((percent * members.length) / 100)).map(({ key }) => key);
}
