/** Every label and annotation key of the project. */
export const DOMAIN = 'cdk8s-workflows.dev';

/** The value of `spec.managedBy` on a run's Job that the controller sequences, and of the managed-by label. */
export const CONTROLLER_NAME = `${DOMAIN}/controller`;

export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
export const MANAGED_BY = 'cdk8s-workflows';

export const labels = {
  managedBy: MANAGED_BY_LABEL,
  workflow: `${DOMAIN}/workflow`,
  version: `${DOMAIN}/version`,
  plan: `${DOMAIN}/plan`,
  group: `${DOMAIN}/group`,
  task: `${DOMAIN}/task`,
  run: `${DOMAIN}/run`,
  step: `${DOMAIN}/step`,
  attempt: `${DOMAIN}/attempt`,
  /** On a run that is a step of one of another cluster: the uid of the namespace `kube-system` there, which tells that cluster from all others. */
  parentCluster: `${DOMAIN}/parent-cluster`,
  /** On such a run: the namespace and the uid of the Job of the run that it is a step of. */
  parentNamespace: `${DOMAIN}/parent-namespace`,
  parentUid: `${DOMAIN}/parent-uid`,
  /** On a plan that a program registered on the cluster: the name of the program. It is of no manifests, and no apply deletes it. */
  registeredBy: `${DOMAIN}/registered-by`,
  /** On a run that fills up for a time that has passed: which backfill it is of. Those of a plan with the same value take turns. */
  backfill: `${DOMAIN}/backfill`,
  /** What a ConfigMap of ours holds: {@link CONTENT_GRAPH}, {@link CONTENT_RECORD}, {@link CONTENT_CACHE}, {@link CONTENT_INVENTORY}, {@link CONTENT_ITEMS} or {@link CONTENT_PLAN}. */
  content: `${DOMAIN}/content`,
} as const;

/** `spec.schedule` of a plan without one: a date that never comes. Such a plan is suspended and launched by hand. */
export const NEVER = '0 0 31 2 *';

/** How many steps of a run may run at once when nobody says. */
export const DEFAULT_PARALLELISM = 25;

/** How many times that were missed are made up for at most. As many as Kubernetes looks at. (pkg/controller/cronjob/utils.go) */
export const CATCH_UP_LIMIT = 100;

export const CONTENT_GRAPH = 'graph';
export const CONTENT_RECORD = 'record';
export const CONTENT_CACHE = 'cache';
export const CONTENT_INVENTORY = 'inventory';
export const CONTENT_ITEMS = 'items';
export const CONTENT_PLAN = 'plan';

export const annotations = {
  /** On a run's Job: the name of the graph's ConfigMap. */
  graph: `${DOMAIN}/graph`,
  /** On a run's Job: its inputs, a JSON object. */
  inputs: `${DOMAIN}/inputs`,
  /** On a plan's CronJob: the names of the inputs that a launch cannot change, a JSON array. */
  fixedInputs: `${DOMAIN}/fixed-inputs`,
  /** On a plan's CronJob that is a backup: the cluster that the plan is active on. */
  backupOf: `${DOMAIN}/backup-of`,
  /** On a plan's CronJob that is a backup: 1 for the first to take over, 2 for the one after it. */
  backupRank: `${DOMAIN}/backup-rank`,
  /** On a plan's CronJob that is a backup: `true` when it is suspended where it is active too, for want of a schedule or by its author. */
  staysSuspended: `${DOMAIN}/stays-suspended`,
  /** On a plan's CronJob that is held at the version it has: the manifest that it is kept from, JSON. */
  next: `${DOMAIN}/next`,
  /** On a plan's CronJob that a canary or a promotion moved to another version: the manifest that it had before, JSON. */
  previous: `${DOMAIN}/previous`,
  /** On a plan's CronJob: who set those of its settings that it did not set alone, a JSON object of `fleet`, `workflow`, `group` or several of them by field. */
  settingOrigins: `${DOMAIN}/setting-origins`,
  /** On a run's Job: a pod template that is merged over that of every step, JSON. */
  podOverride: `${DOMAIN}/pod-override`,
  /** On a run's Job: part of a Job that is merged into the one around the pod of every step that runs as a Job, JSON. */
  jobOverride: `${DOMAIN}/job-override`,
  /** On a run's Job: pod templates that were given at its launch, by step and `*` for every step, JSON; merged over the one above. */
  runOverride: `${DOMAIN}/run-override`,
  /** On a PodTemplate: what the cluster enforces over it and over every override, JSON with `cluster`, `template`, and `job` for the Job around the pod. */
  policy: `${DOMAIN}/policy`,
  /** On a run's Job: the name of a finished run of the same graph and inputs; what succeeded there is taken over. */
  recover: `${DOMAIN}/recover`,
  /** On a run's Job with the one above: names of steps that run again although they succeeded, a JSON array. */
  rerunSteps: `${DOMAIN}/rerun-steps`,
  /** On the Job of a run that is a step of another: the names of the runs that it is within, the outermost first, a JSON array. */
  within: `${DOMAIN}/within`,
  /** On a run's Job: the idempotency key that it was launched with. */
  idempotencyKey: `${DOMAIN}/idempotency-key`,
  /** On a run's Job with the one above: a hash of what was asked for, by which another launch with the key is told from a repetition. */
  request: `${DOMAIN}/request`,
  /** On a run's Job: the user for whom the controller's trigger launched it. */
  launchedBy: `${DOMAIN}/launched-by`,
  /** On a run's Job: {@link CancelMode}. */
  cancel: `${DOMAIN}/cancel`,
  /** On a run's Job: a whole number; where runs wait for the same, those with a higher one come first. @default 0 */
  priority: `${DOMAIN}/priority`,
  /** On a run's Job: names of inputs that get the time it was scheduled for, or made at, unless they are given, a JSON array. */
  kickoffInputs: `${DOMAIN}/kickoff-inputs`,
  /** On a run's Job: how it gets along with other runs of its plan, JSON; {@link Concurrency}. */
  concurrency: `${DOMAIN}/concurrency`,
  /** On a run's Job with the label of the same name: how the runs of its backfill take turns, JSON; {@link Backfilling}. */
  backfill: `${DOMAIN}/backfill`,
  /** On a run's Job: the times `from` and `to` between which its plan fires, JSON; others that fire are skipped. */
  between: `${DOMAIN}/between`,
  /** On a run's Job: until when its plan is paused; what it is scheduled for before is skipped. */
  pausedUntil: `${DOMAIN}/paused-until`,
  /** On a run's Job: the cron expressions of its plan, and their zone, JSON; what its CronJob fires at another time is no run. */
  schedules: `${DOMAIN}/schedules`,
  /** On a run's Job: what its plan does about times that were missed, where the controller does it: `latest` or `all`. */
  catchUp: `${DOMAIN}/catch-up`,
  /** On a run's Job: `true` when the controller made it for a time that was missed. No queue is too long for it. */
  caughtUp: `${DOMAIN}/caught-up`,
  /** On a Job that a plan with an interval below a minute makes each minute: the interval in seconds. It starts the runs of that minute. */
  every: `${DOMAIN}/every`,
  /** On the Job of a run or task: who is told what of it, JSON; `NotificationDocument` in `lib/graph/notifications.ts`. */
  notifications: `${DOMAIN}/notifications`,
  /** On a run that a notification launched: the run and the event that it is about. It launches no other by a notification, or there would be no end. */
  launchedFor: `${DOMAIN}/launched-for`,
  /** On the Job of a finished run or task: how many of its plan failed in a row just before it. The Jobs of these may be gone by now. */
  failuresBefore: `${DOMAIN}/failures-before`,
  /** On a run's Job: what happens when a step has failed, in place of the graph's failure policy. How this and the next three are read is in `run-policy.ts`. */
  failurePolicy: `${DOMAIN}/failure-policy`,
  /** On a run's Job: how often steps that say nothing of it are tried again, a retry policy as JSON. */
  retries: `${DOMAIN}/retries`,
  /** On a run's Job: `true` or an object sends steps that say nothing of it to spot nodes, `false` keeps all off them, JSON. */
  spot: `${DOMAIN}/spot`,
  /** On a run's Job: the URI that begins those of what its steps store elsewhere. */
  artifactRoot: `${DOMAIN}/artifact-root`,
  /** On a run's Job: {@link CacheMode}. */
  cache: `${DOMAIN}/cache`,
  /** On a graph: what its fleet and its workflow say of plans, JSON; for programs that register some. It is read in `lib/plans/plan-defaults.ts`. */
  planDefaults: `${DOMAIN}/plan-defaults`,
  /** On a graph: how many versions of its workflow are kept that nothing uses; that of the newest version holds. @default 10 */
  revisionHistoryLimit: `${DOMAIN}/revision-history-limit`,
  /** On a ConfigMap with a kept result: from when on it may be deleted. */
  expires: `${DOMAIN}/expires`,
  /** On a plan's CronJob that was switched to a backup, where it belongs and on the backup: from where, to where, when and by whom, JSON. */
  failover: `${DOMAIN}/failover`,
  /** On a plan's CronJob that took over from its like on another cluster: up to when that one has dealt with its times, JSON; `taken-over.ts`. */
  takenOver: `${DOMAIN}/taken-over`,
  /** On the Lease of a controller: the version of the one that holds it. */
  controllerVersion: `${DOMAIN}/controller-version`,
  /** On the Lease of a controller: the namespaces that the one that holds it looks after, with commas between; `*` for all. */
  controllerNamespaces: `${DOMAIN}/controller-namespaces`,
  /** On a run's Job in driver mode, where `spec.parallelism` is the driver's own: how many steps run at once. */
  parallelism: `${DOMAIN}/parallelism`,
  /** On an inventory, the parent of an ApplySet: the fleet whose objects it lists, or what the user called it. */
  fleet: `${DOMAIN}/fleet`,
  /** On the Lease of an apply: the process that applies, JSON. */
  process: `${DOMAIN}/process`,
  /** On an inventory: the name of the cluster in its fleet. */
  cluster: `${DOMAIN}/cluster`,
} as const;

/** What a run's Job says of its plan's schedule, and of its turn among the plan's other runs. */
export const scheduleAnnotations: readonly string[] = [
  annotations.concurrency,
  annotations.between,
  annotations.pausedUntil,
  annotations.schedules,
  annotations.catchUp,
  annotations.every,
];

/** On a run's Job, with the name of a gate after it: what opens the gate, JSON. How it is read is in `lib/engine/answers.ts`. */
export const answerPrefixes = { approval: `${DOMAIN}/approve.`, input: `${DOMAIN}/input.` } as const;
/** On a run's Job, with the name of a step after it: skips the step, unless it has begun. The value says why, in words. */
export const skipPrefix = `${DOMAIN}/skip.`;
/** On the Job of a run or task, with an event and the name of a notification after it: when it was delivered, or why it was given up. */
export const notifiedPrefix = `${DOMAIN}/notified.`;

/** On a Job that a schedule made: the time it was made for. (KEP-3668; batch/v1: CronJobScheduledTimestampAnnotation) */
export const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

/** How the runs of a plan get along. `Queue`: one after the other, and at most `max` wait; others are skipped. */
export type Concurrency =
  { readonly policy: 'Allow' | 'Forbid' | 'Replace' } | { readonly policy: 'Queue'; readonly max: number };

/** In which order the runs of a backfill begin: as their times come, or the other way round. */
export const backfillOrders = ['oldest', 'newest'] as const;

/** How the runs of a backfill take turns: so many at once. */
export interface Backfilling {
  readonly concurrency: number;
  readonly order: (typeof backfillOrders)[number];
}

/** How a run is cancelled. `Now`: stop now. `RunFinally`: stop now, then the finally steps. `Drain`: let running steps end, then finally. */
export const cancelModes = ['Now', 'RunFinally', 'Drain'] as const;
export type CancelMode = (typeof cancelModes)[number];

/** How a run uses kept results. `Off`: it takes none and keeps none. `Overwrite`: it takes none, and keeps its own in their place. */
export const cacheModes = ['Off', 'Overwrite'] as const;
export type CacheMode = (typeof cacheModes)[number];
