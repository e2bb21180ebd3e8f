import { ApiObject, Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { labels, MANAGED_BY } from '../lib/graph/labels.ts';
import type { PermissionRule } from '../lib/graph/permissions.ts';
import { clusterOf } from './cluster.ts';

/**
 * Allows a service account of the scope's namespace what rules say, there or everywhere. cdk8s-plus' Role takes verbs resource by resource
 * and cannot name sub-resources such as jobs/status.
 *
 * @internal
 */
export function grant(
  scope: Construct,
  kind: 'Role' | 'ClusterRole',
  name: string,
  rules: readonly PermissionRule[],
  account: string,
): void {
  const group = 'rbac.authorization.k8s.io';
  const namespace = Chart.of(scope).namespace ?? clusterOf(scope)?.namespace ?? 'default';
  // A ClusterRole's name is the cluster's; two controllers in two namespaces must not share one.
  const roleName = kind === 'ClusterRole' ? `${namespace}-${name}` : name;
  const metadata = { name: roleName, labels: { [labels.managedBy]: MANAGED_BY } };
  new ApiObject(scope, `${name}-${kind}`, { apiVersion: `${group}/v1`, kind, metadata, rules });
  new ApiObject(scope, `${name}-${kind}Binding`, {
    apiVersion: `${group}/v1`,
    kind: `${kind}Binding`,
    metadata,
    roleRef: { apiGroup: group, kind, name: roleName },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
  });
}
