import type { Construct, IConstruct } from 'constructs';
import { show, type Problem } from '../lib/values/problems.ts';
import { namespaceOf } from './cluster.ts';

const claims = new WeakMap<IConstruct, Map<string, string>>();

/**
 * Claims a name for a construct among all of its kind in the app and namespace, by default that of its chart or cluster. The
 * problem that it is taken already, or nothing.
 */
export function claimName(
  construct: Construct,
  kind: string,
  name: string,
  namespace = namespaceOf(construct),
): readonly Problem[] {
  const { root } = construct.node;
  const taken = claims.get(root) ?? new Map<string, string>();
  claims.set(root, taken);
  const key = JSON.stringify([namespace, kind, name]);
  const holder = taken.get(key);
  if (holder !== undefined)
    return [{ path: 'name', message: `${kind} ${show(name)} exists already at ${holder}`, fix: 'rename one' }];
  taken.set(key, construct.node.path);
  return [];
}
