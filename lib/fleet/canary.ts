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

/**
 * The plans that are held at the version they have, by {@link objectKey}, among those whose manifests name another. Of a group with a share: all but
 * so many of its plans, of which the hashes of their names decide, so that a larger share only adds to them. Of others: those that are held already.
 *
 * @param canary @default no share is given of any group
 * @param release Let go of those that are held already. @default false
 */
export function heldPlans(
  wanted: readonly KubeObject[],
  live: ReadonlyMap<string, KubeObject>,
  canary: Canary = {},
  release = false,
): ReadonlySet<string> {
  const plans = wanted.filter((object) => plannedGraph(object) !== undefined);
  const first = new Set([...groupsOf(plans)].flatMap(([group, members]) => firstOf(members, shareOf(canary, group))));
  const held = plans.filter((object) => {
    const found = live.get(objectKey(object));
    const graph = found && plannedGraph(found);
    if (graph === undefined || graph === plannedGraph(object)) return false;
    const group = object.metadata.labels?.[labels.group];
    const share = group === undefined ? undefined : shareOf(canary, group);
    return share === undefined ? !release && nextOf(found!) !== undefined : !first.has(objectKey(object));
  });
  return new Set(held.map(objectKey));
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
