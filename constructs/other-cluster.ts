import type { IConstruct } from 'constructs';
import { show, suggest, type Problem } from '../lib/values/problems.ts';
import { clusterContext } from './cluster.ts';

/** Another cluster of the fleet, as a construct names it. */
export interface OtherCluster {
  /** What that cluster has in the place of a construct; nothing when it has nothing there, or is not defined yet. */
  at(construct: IConstruct): IConstruct | undefined;
}

/**
 * The cluster that a construct names: nothing when that is its own, or why there is none.
 *
 * @param onDefined called when all clusters are defined
 */
export function otherCluster(
  construct: IConstruct,
  name: string | undefined,
  onDefined: () => void,
): OtherCluster | Problem | undefined {
  if (name === undefined) return undefined;
  const path = 'cluster';
  const context = clusterContext(construct);
  if (context === undefined)
    return { path, message: 'is set, but the app belongs to no fleet', fix: 'synthesize it from a Fleet' };
  if (name === context.cluster.name) return undefined;
  const named = context.clusters.find((cluster) => cluster.name === name);
  if (named === undefined) {
    const names = context.clusters.map((cluster) => cluster.name);
    return { path, message: `there is no cluster ${show(name)}`, fix: suggest(name, names) };
  }
  if (named.enabled === false)
    return { path, message: `the cluster ${show(name)} is disabled`, fix: 'enable it, or name another' };
  context.onDefined.push(onDefined);
  return { at: ({ node }) => descendant(context.apps.get(name), node.path) };
}

function descendant(app: IConstruct | undefined, path: string): IConstruct | undefined {
  return path.split('/').reduce<IConstruct | undefined>((scope, id) => scope?.node.tryFindChild(id), app);
}
