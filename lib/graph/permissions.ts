/** A rule of a Role or ClusterRole. */
export interface PermissionRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  /** @default objects of all names */
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** What runs and their steps need, whoever sequences them. */
const stepRules: readonly PermissionRule[] = [
  // Graphs, records, kept results and values of items are read by name. They are created, then patched; `update` is not needed.
  { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create', 'patch'] },
  // Templates are read by name when a step first needs them.
  { apiGroups: [''], resources: ['podtemplates'], verbs: ['get'] },
  // A step is a pod. `patch` sets activeDeadlineSeconds, which stops it and keeps its log; `delete` stops one that no node has yet.
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
  // Runs are Jobs, and so are steps with `runAs: 'Job'`, which are created, stopped by their deadline, or deleted.
  { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
  // A step may be a run of a launch plan, which is read when the run begins.
  { apiGroups: ['batch'], resources: ['cronjobs'], verbs: ['get'] },
  // What happens to a run is told in events. `patch` counts one that repeats.
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
];

/** What the controller may do in the namespaces it looks after: each rule is used by a request of `lib/controller`. */
export const controllerRules: readonly PermissionRule[] = [
  ...stepRules,
  // Kept results that are too old, and graphs that nothing uses any more, are found by their labels and deleted.
  { apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'delete'] },
  // With a graph go its templates; plans are listed for the graphs that they use.
  { apiGroups: [''], resources: ['podtemplates'], verbs: ['list', 'delete'] },
  // They are followed, too: of one that makes no run at its time somebody may want to be told.
  { apiGroups: ['batch'], resources: ['cronjobs'], verbs: ['list', 'watch'] },
  // The run's progress and end.
  { apiGroups: ['batch'], resources: ['jobs/status'], verbs: ['patch'] },
];

/** What the controller may do in its own namespace, to agree with its replicas on a leader. `create` cannot be limited to a name. */
export const leaderElectionRules: readonly PermissionRule[] = [
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] },
];

/** What the service account of a run in driver mode may do: as the controller, but Kubernetes itself writes the Job's status. */
export const driverRules: readonly PermissionRule[] = stepRules;

/** What a controller may do on its own cluster whose steps may have their runs on others: runs there carry the uid of this namespace, by which it finds them again. */
export const clusterIdentityRules: readonly PermissionRule[] = [
  { apiGroups: [''], resources: ['namespaces'], resourceNames: ['kube-system'], verbs: ['get'] },
];

/** What the controller of another cluster may do on this one, where steps of its runs have theirs. */
export const remoteRunsRules: readonly PermissionRule[] = [
  // The run is created, watched, cancelled, and deleted with the run that it is a step of.
  { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
  // The plan that it is made from.
  { apiGroups: ['batch'], resources: ['cronjobs'], verbs: ['get'] },
  // Its graph, and its record, which has its outputs.
  { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] },
];

/**
 * What a controller may do whose trigger is on: ask whose a token is, and whether they may launch a plan. Neither has a namespace. The run is made by what it
 * may do for its runs. (ClusterRole system:auth-delegator)
 */
export const triggerRules: readonly PermissionRule[] = [
  { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
  { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
];

/** What a controller may do, beyond its runs, that takes over plans of another cluster. */
export const failoverRules: readonly PermissionRule[] = [
  // Backups are found by their label and activated.
  { apiGroups: ['batch'], resources: ['cronjobs'], verbs: ['list', 'patch'] },
  // With the time at which the other was started last, so that it is not started again.
  { apiGroups: ['batch'], resources: ['cronjobs/status'], verbs: ['patch'] },
];

/** What it may do on that other cluster: suspend there what it took over. */
export const remoteFailoverRules: readonly PermissionRule[] = [
  { apiGroups: ['batch'], resources: ['cronjobs'], verbs: ['get', 'patch'] },
];
