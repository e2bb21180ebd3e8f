/** Where a kind of object lives in the API. Make one with {@link resource} for a kind that is not listed here. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** The word in the URL, for example `configmaps`. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/**
 * Names a resource.
 *
 * @param apiVersion as in a manifest: `v1` or `batch/v1`
 * @example
 * const roles = resource('rbac.authorization.k8s.io/v1', 'Role', 'roles');
 */
export function resource(
  apiVersion: string,
  kind: string,
  plural: string,
  options: { readonly namespaced?: boolean } = {},
): Resource {
  const slash = apiVersion.indexOf('/');
  return {
    group: slash < 0 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    plural,
    kind,
    namespaced: options.namespaced ?? true,
  };
}

/** `apiVersion` of the objects of a resource: `v1`, `batch/v1`. */
export function apiVersionOf(of: Resource): string {
  return of.group === '' ? of.version : `${of.group}/${of.version}`;
}

const clusterWide = { namespaced: false };

export const configMaps: Resource = resource('v1', 'ConfigMap', 'configmaps');
export const events: Resource = resource('v1', 'Event', 'events');
export const namespaces: Resource = resource('v1', 'Namespace', 'namespaces', clusterWide);
export const nodes: Resource = resource('v1', 'Node', 'nodes', clusterWide);
export const pods: Resource = resource('v1', 'Pod', 'pods');
export const podTemplates: Resource = resource('v1', 'PodTemplate', 'podtemplates');
export const limitRanges: Resource = resource('v1', 'LimitRange', 'limitranges');
export const resourceQuotas: Resource = resource('v1', 'ResourceQuota', 'resourcequotas');
export const secrets: Resource = resource('v1', 'Secret', 'secrets');
export const serviceAccounts: Resource = resource('v1', 'ServiceAccount', 'serviceaccounts');
export const services: Resource = resource('v1', 'Service', 'services');
export const deployments: Resource = resource('apps/v1', 'Deployment', 'deployments');
export const cronJobs: Resource = resource('batch/v1', 'CronJob', 'cronjobs');
export const jobs: Resource = resource('batch/v1', 'Job', 'jobs');
export const leases: Resource = resource('coordination.k8s.io/v1', 'Lease', 'leases');
export const clusterRoleBindings: Resource = resource(
  'rbac.authorization.k8s.io/v1',
  'ClusterRoleBinding',
  'clusterrolebindings',
  clusterWide,
);
export const clusterRoles: Resource = resource(
  'rbac.authorization.k8s.io/v1',
  'ClusterRole',
  'clusterroles',
  clusterWide,
);
export const roleBindings: Resource = resource('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings');
export const roles: Resource = resource('rbac.authorization.k8s.io/v1', 'Role', 'roles');
export const selfSubjectAccessReviews: Resource = resource(
  'authorization.k8s.io/v1',
  'SelfSubjectAccessReview',
  'selfsubjectaccessreviews',
  clusterWide,
);
export const selfSubjectRulesReviews: Resource = resource(
  'authorization.k8s.io/v1',
  'SelfSubjectRulesReview',
  'selfsubjectrulesreviews',
  clusterWide,
);
export const selfSubjectReviews: Resource = resource(
  'authentication.k8s.io/v1',
  'SelfSubjectReview',
  'selfsubjectreviews',
  clusterWide,
);
export const subjectAccessReviews: Resource = resource(
  'authorization.k8s.io/v1',
  'SubjectAccessReview',
  'subjectaccessreviews',
  clusterWide,
);
export const tokenReviews: Resource = resource('authentication.k8s.io/v1', 'TokenReview', 'tokenreviews', clusterWide);
