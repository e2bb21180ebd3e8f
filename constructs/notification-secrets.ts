import type { Construct, IConstruct } from 'constructs';
import type { NotifiedFrom } from './notification-target.ts';
import type { PermissionRule } from '../lib/graph/permissions.ts';

/** The Secrets that notifications of an app name, by namespace. */
const noted = new WeakMap<IConstruct, Map<string | undefined, Set<string>>>();

/** Notes that the controller which looks after a namespace must read Secrets there. */
export function noteSecrets({ construct, namespace }: NotifiedFrom, secrets: readonly string[]): void {
  if (secrets.length === 0) return;
  const { root } = construct.node;
  const all = noted.get(root) ?? new Map<string | undefined, Set<string>>();
  noted.set(root, all.set(namespace, new Set([...(all.get(namespace) ?? []), ...secrets])));
}

/**
 * What a controller may read for the notifications of its app: these Secrets and no others. To be asked at synth, when all are defined.
 *
 * @param namespace of the controller; without one it looks after all
 * @param others Secrets that other apps name
 */
export function secretRules(
  construct: Construct,
  scope: { readonly namespace: string | undefined } | 'cluster',
  others: readonly string[],
): readonly PermissionRule[] {
  const all = noted.get(construct.node.root) ?? new Map<string | undefined, Set<string>>();
  const here = scope === 'cluster' ? [...all.values()] : [all.get(scope.namespace) ?? []];
  const names = [...new Set([...others, ...here.flatMap((each) => [...each])])].sort();
  return names.length === 0 ? [] : [{ apiGroups: [''], resources: ['secrets'], resourceNames: names, verbs: ['get'] }];
}
