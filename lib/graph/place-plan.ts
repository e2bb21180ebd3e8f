import { unitHash } from '../values/hash.ts';
import {
  holds,
  matchesLabels,
  requirementsOf,
  selectorProblems,
  selectorText,
  type Labels,
  type LabelSelector,
} from '../values/label-selector.ts';
import { show, suggest, type Problem } from '../values/problems.ts';
import type { ChosenCluster, PlanPlacement } from './placement.ts';

/** A cluster by name, or any one whose labels match. */
export type ClusterSelector = string | LabelSelector;

/** The one cluster that a plan is active on, or with `all` each that matches: then it is active on all of them at once. */
export type ClusterChoice = ClusterSelector | { readonly all: true | LabelSelector };

/** What is placed on. */
export interface PlacementTarget {
  readonly name: string;
  readonly labels?: Labels;
  /** @default 1 */
  readonly weight?: number;
  /** @default true */
  readonly enabled?: boolean;
}

/** Where a plan is to be. */
export interface PlacementRequest {
  /** @default the fleet's only cluster */
  readonly cluster?: ClusterChoice;
  /** @default none */
  readonly backups?: readonly ClusterSelector[];
  /** Who says the cluster. */
  readonly by: 'plan' | 'workflow' | 'fleet';
  /** Who says the backups. @default 'plan' */
  readonly backupsBy?: 'plan' | 'workflow';
}

/** A placement, or why there is none. */
export interface Placing {
  readonly placement?: PlanPlacement;
  readonly problems: readonly Problem[];
}

const words = {
  plan: { path: 'cluster', named: 'named by the plan' },
  workflow: { path: 'workflow.cluster', named: 'named by its workflow' },
  fleet: { path: 'defaultCluster', named: "the fleet's default" },
} as const;

/**
 * The cluster that a plan is active on and its backups, none of them twice. Of several that match, weighted rendezvous
 * hashing of the plan's name decides: a cluster that comes, goes, or changes its weight moves only the plans that it takes
 * or had. (Schindelhauer and Schomaker, "Weighted distributed hash tables", 2005)
 */
export function placePlan(plan: string, request: PlacementRequest, clusters: readonly PlacementTarget[]): Placing {
  const { cluster, backups = [], by, backupsBy = 'plan' } = request;
  const backupsPath = backupsBy === 'plan' ? 'backups' : 'workflow.backups';
  const problems: Problem[] = [];
  const choose = (
    selector: ClusterSelector,
    { path, named }: { readonly path: string; readonly named: string },
    taken: readonly string[],
  ): ChosenCluster | undefined => {
    const wrong = [...choiceProblems(selector, path)];
    const chosen = wrong.length > 0 ? wrong : chooseCluster(plan, selector, clusters, taken, named);
    if ('cluster' in chosen) return chosen;
    problems.push(...('message' in chosen ? [{ ...chosen, path }] : chosen));
    return undefined;
  };
  if (isAll(cluster)) {
    const wrong = [...choiceProblems(cluster, words[by].path)];
    if (backups.length > 0)
      wrong.push({
        path: backupsPath,
        message: 'say nothing of a plan that is active everywhere',
        fix: 'leave them out',
      });
    const everywhere = allClusters(cluster.all, clusters);
    if ('message' in everywhere) wrong.push({ ...everywhere, path: words[by].path });
    return 'message' in everywhere || wrong.length > 0 ? { problems: wrong } : { placement: everywhere, problems };
  }
  const active = cluster === undefined ? onlyCluster(clusters) : choose(cluster, words[by], []);
  if (active !== undefined && 'message' in active) return { problems: [active] };
  const taken = active === undefined ? [] : [active.cluster];
  const chosen: ChosenCluster[] = [];
  for (const [index, backup] of backups.entries()) {
    // Where a selector put the plan onto a cluster that is named as a backup too, there is one place less to go to.
    if (typeof backup === 'string' && backup === active?.cluster && cluster !== backup) continue;
    const next = choose(backup, { path: `${backupsPath}[${index}]`, named: words[backupsBy].named }, taken);
    if (next === undefined) continue;
    taken.push(next.cluster);
    chosen.push(next);
  }
  if (problems.length === 0 && backups.length > 0 && chosen.length === 0)
    problems.push({
      path: backupsPath,
      message: `name only ${show(active?.cluster)}, where the plan is active`,
      fix: 'name another cluster',
    });
  if (active === undefined || problems.length > 0) return { problems };
  return { placement: { ...active, ...(chosen.length > 0 && { backups: chosen }) }, problems };
}

/** What is wrong with a choice in itself, whatever the clusters are. */
export function* choiceProblems(choice: ClusterChoice, path: string): Generator<Problem> {
  if (typeof choice === 'string') return;
  if (!isAll(choice)) yield* selectorProblems(choice, path);
  else if (choice.all !== true) yield* selectorProblems(choice.all, `${path}.all`);
}

function isAll(choice: ClusterChoice | undefined): choice is { readonly all: true | LabelSelector } {
  return typeof choice === 'object' && 'all' in choice;
}

type Refusal = Omit<Problem, 'path'>;

function chooseCluster(
  plan: string,
  selector: ClusterSelector,
  clusters: readonly PlacementTarget[],
  taken: readonly string[],
  named: string,
): ChosenCluster | Refusal {
  if (typeof selector === 'string')
    return namedCluster(selector, clusters, taken) ?? { cluster: selector, reason: named };
  const matching = matchingClusters(selector, clusters);
  if ('message' in matching) return matching;
  const free = matching.filter(({ name }) => !taken.includes(name));
  const text = selectorText(selector);
  const those = text === '' ? '' : ` with ${text}`;
  if (free.length === 0)
    return {
      message: `every cluster${those} has the plan already: ${taken.join(', ')}`,
      fix: 'ask for less, or add a cluster',
    };
  const other = free.length < matching.length ? 'other ' : '';
  if (free.length === 1) return { cluster: free[0]!.name, reason: `the only ${other}cluster${those}` };
  const chosen = free.reduce((best, next) => (outranks(plan, next, best) ? next : best));
  const how = free.every(({ weight = 1 }) => weight === (free[0]!.weight ?? 1)) ? '' : ' and their weights';
  return {
    cluster: chosen.name,
    reason: `by the hash of its name${how} among the ${free.length} ${other}clusters${those}`,
  };
}

/** The score of rendezvous hashing, in which each cluster wins a share of the plans that is as large as its weight. */
function outranks(plan: string, a: PlacementTarget, b: PlacementTarget): boolean {
  const score = ({ name, weight = 1 }: PlacementTarget) => -weight / Math.log(unitHash(`${plan}/${name}`));
  const [left, right] = [score(a), score(b)];
  return left === right ? a.name < b.name : left > right;
}

function namedCluster(
  name: string,
  clusters: readonly PlacementTarget[],
  taken: readonly string[],
): Refusal | undefined {
  const found = clusters.find((cluster) => cluster.name === name);
  const enabled = clusters.filter(isEnabled).map((cluster) => cluster.name);
  if (found === undefined) return { message: `there is no cluster ${show(name)}`, fix: suggest(name, enabled) };
  if (!isEnabled(found))
    return {
      message: `the cluster ${show(name)} is disabled`,
      fix: `enable it, or name another: ${enabled.join(', ')}`,
    };
  if (taken.includes(name)) return { message: `the plan is on ${show(name)} already`, fix: 'name each cluster once' };
  return undefined;
}

function matchingClusters(
  selector: LabelSelector,
  clusters: readonly PlacementTarget[],
): readonly PlacementTarget[] | Refusal {
  const matching = clusters.filter(({ labels }) => matchesLabels(selector, labels));
  const enabled = matching.filter(isEnabled);
  if (enabled.length > 0) return enabled;
  const message = `no cluster matches ${selectorText(selector)}`;
  if (matching.length === 0) return { message, fix: nearest(selector, clusters.filter(isEnabled)) };
  const names = matching.map(({ name }) => name).join(', ');
  return { message, fix: `${names} would, but is disabled` };
}

function allClusters(
  all: true | LabelSelector,
  clusters: readonly PlacementTarget[],
): (PlanPlacement & { readonly everywhere: readonly string[] }) | Refusal {
  const matching = matchingClusters(all === true ? {} : all, clusters);
  if ('message' in matching) return matching;
  const everywhere = matching.map(({ name }) => name);
  const text = all === true ? '' : selectorText(all);
  return { cluster: everywhere[0]!, reason: `on every cluster${text === '' ? '' : ` with ${text}`}`, everywhere };
}

function onlyCluster(clusters: readonly PlacementTarget[]): ChosenCluster | Problem {
  const enabled = clusters.filter(isEnabled);
  if (enabled.length === 1) return { cluster: enabled[0]!.name, reason: 'the only cluster' };
  return {
    path: 'cluster',
    message: `must be set: the fleet has the clusters ${enabled.map(({ name }) => name).join(', ')}`,
    fix: 'name one, or give the fleet a defaultCluster',
  };
}

function isEnabled({ enabled = true }: PlacementTarget): boolean {
  return enabled;
}

function nearest(selector: LabelSelector, clusters: readonly PlacementTarget[]): string {
  const wanted = requirementsOf(selector);
  const score = ({ labels }: PlacementTarget) => wanted.filter((requirement) => holds(requirement, labels)).length;
  const best = clusters.reduce((a, b) => (score(b) > score(a) ? b : a));
  const has = Object.entries(best.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return `the nearest is ${best.name}, with ${has.join(',') || 'no labels'}`;
}
