import type { PermissionRule } from './permissions.ts';

/**
 * What people and programs may do with plans: `view` reads them and their runs, `trigger` has the controller start runs, `launch` starts runs, `operate` does
 * all that is done by hand to plans and runs.
 */
export const planAccesses = ['view', 'trigger', 'launch', 'operate'] as const;
export type PlanAccess = (typeof planAccesses)[number];

/**
 * What somebody does to a plan's CronJob who has the controller's trigger launch it. Kubernetes has no such verb; RBAC allows any, and by the name of the plan,
 * where it cannot limit who creates which Jobs.
 */
export const LAUNCH_VERB = 'launch';

/** What the tokens of callers are meant for that nobody says otherwise. */
export const TRIGGER_AUDIENCE = 'cdk8s-workflows-trigger';

/** The plans of one namespace that rules are about. */
export interface GrantedPlans {
  /** Names of their CronJobs. */
  readonly names: readonly string[];
  /** They are those of a group, which commands find by its label. */
  readonly ofGroup: boolean;
}

/**
 * The rules of a Role in the plans' namespace. RBAC knows names only of requests for one object that exists: a list, a watch and a
 * create cannot be limited to some names, so that what is said of runs holds for all of the namespace.
 * (kubernetes.io/docs/reference/access-authn-authz/rbac: Referring to resources)
 */
export function planRules(access: PlanAccess, plans: GrantedPlans): readonly PermissionRule[] {
  if (access === 'view') return viewRules;
  if (access === 'trigger') return triggerRules(plans);
  return access === 'launch' ? launchRules(plans) : operateRules(plans);
}

/** What the reading commands ask for: `plans`, `status`, `runs`, `describe`, `logs`, `events`, `history`, `schedule`. */
const viewRules: readonly PermissionRule[] = [
  // Plans and runs are listed by their labels, and followed.
  { apiGroups: ['batch'], resources: ['cronjobs', 'jobs'], verbs: ['get', 'list', 'watch'] },
  // Graphs and records, which have the outputs. `history` lists the versions of a workflow.
  { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [''], resources: ['podtemplates'], verbs: ['get', 'list'] },
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
  { apiGroups: [''], resources: ['events'], verbs: ['get', 'list', 'watch'] },
];

/** What the trigger of a controller asks about a caller. Nothing of Kubernetes itself is allowed by it. */
function triggerRules({ names }: GrantedPlans): readonly PermissionRule[] {
  return [{ apiGroups: ['batch'], resources: ['cronjobs'], resourceNames: names, verbs: [LAUNCH_VERB] }];
}

/** What `launch` asks for, with `--wait` and `--watch`. */
function launchRules({ names, ofGroup }: GrantedPlans): readonly PermissionRule[] {
  return [
    { apiGroups: ['batch'], resources: ['cronjobs'], resourceNames: names, verbs: ['get', LAUNCH_VERB] },
    // `launch --group` finds them by their label.
    ...(ofGroup ? [{ apiGroups: ['batch'], resources: ['cronjobs'], verbs: ['list'] }] : []),
    // The run is created, and followed to its end.
    { apiGroups: ['batch'], resources: ['jobs'], verbs: ['create', 'get', 'list', 'watch'] },
    // The graph, which inputs are checked against, and the record, which has the outputs.
    { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] },
    // What `--set` changes is merged with them before anything is created.
    { apiGroups: [''], resources: ['podtemplates'], verbs: ['list'] },
  ];
}

/** What `view` has, and what is asked for by `launch`, `rerun`, `cancel`, `approve`, `suspend`, `deactivate`, `rollback` and those like them. */
function operateRules({ names }: GrantedPlans): readonly PermissionRule[] {
  return [
    ...viewRules,
    { apiGroups: ['batch'], resources: ['cronjobs'], resourceNames: names, verbs: ['patch', LAUNCH_VERB] },
    // `backfill` tells the CronJob up to when its times were dealt with.
    { apiGroups: ['batch'], resources: ['cronjobs/status'], resourceNames: names, verbs: ['patch'] },
    { apiGroups: ['batch'], resources: ['jobs'], verbs: ['create', 'patch', 'delete'] },
  ];
}
