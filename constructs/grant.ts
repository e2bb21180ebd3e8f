import { ApiObject } from 'cdk8s';
import type { ISubject } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { labels, MANAGED_BY } from '../lib/graph/labels.ts';
import type { PermissionRule } from '../lib/graph/permissions.ts';
import { namespaceOf } from './cluster.ts';
import { later } from './later.ts';

/** What is allowed, and to whom. */
export interface Grant {
  readonly kind: 'Role' | 'ClusterRole';
  readonly name: string;
  /** Of a Role and its binding. @default that of the scope */
  readonly namespace?: string | undefined;
  readonly rules: readonly PermissionRule[];
  /** Asked at synth. */
  readonly subjects: () => readonly ISubject[];
}

/**
 * Allows subjects what rules say, in one namespace or everywhere. cdk8s-plus' Role has a rule for each single name of an object, of which a
 * group of plans has a thousand, and its bindings leave out the namespace of a service account whose chart has none, without which the
 * API server refuses them.
 *
 * @internal
 * @returns the role and its binding
 */
export function grant(scope: Construct, { kind, name, namespace, rules, subjects }: Grant): readonly ApiObject[] {
  const apiGroup = 'rbac.authorization.k8s.io';
  // A ClusterRole's name is the cluster's; two controllers in two namespaces must not share one.
  const roleName = kind === 'ClusterRole' ? `${namespaceOf(scope) ?? 'default'}-${name}` : name;
  const metadata = {
    name: roleName,
    labels: { [labels.managedBy]: MANAGED_BY },
    ...(namespace !== undefined && { namespace }),
  };
  const where = namespace === undefined ? '' : ` in ${namespace}`;
  return [
    new ApiObject(scope, `${name}-${kind}${where}`, { apiVersion: `${apiGroup}/v1`, kind, metadata, rules }),
    new ApiObject(scope, `${name}-${kind}Binding${where}`, {
      apiVersion: `${apiGroup}/v1`,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup, kind, name: roleName },
      subjects: later(() => subjects().map(toManifest)),
    }),
  ];
}

function toManifest(subject: ISubject) {
  const { apiGroup, kind, name, namespace } = subject.toSubjectConfiguration();
  if (kind !== 'ServiceAccount') return { apiGroup, kind, name };
  return { kind, name, namespace: namespace ?? namespaceOf(subject) ?? 'default' };
}
