import type { CacheMode } from '../graph/labels.ts';
import type { RetryPolicy } from '../graph/retries.ts';
import type { RunPolicy } from '../graph/run-policy.ts';
import type { KickoffTime } from '../plans/kickoff-time.ts';
import type { PlanTimingSettings } from '../plans/launch-plan-timing.ts';
import type { PlanNotification } from '../plans/plan-notifications.ts';
import type { JobOverride } from '../pods/job-template.ts';
import type { EnvironmentValue } from '../pods/settings/environment.ts';
import type { PodTemplateOverride } from '../pods/template.ts';
import type { PlanInfo } from './plan-info.ts';
import type { InputsOf, WorkflowType } from './types.ts';

/** Values that a plan gives to inputs. An input that is text may be the time of the run. */
export type PlannedInputsOf<W extends WorkflowType> = {
  readonly [Name in keyof InputsOf<W>]?: InputsOf<W>[Name] | (string extends InputsOf<W>[Name] ? KickoffTime : never);
};

/**
 * A launch plan as a program registers it: what a `LaunchPlan` of the constructs says, in whole seconds and names. What it leaves out is as the
 * `runDefaults` of its workflow and fleet say, which were applied with the workflow, and else as the constructs have it; maps are merged by key.
 */
export interface PlanRegistration<W extends WorkflowType>
  extends Omit<PlanTimingSettings, 'schedule'>, Omit<RunPolicy, 'retries'> {
  /** Name of the plan and its CronJob; a DNS label of at most 52 characters. */
  readonly name: string;
  /** Name of a workflow that was applied to the namespace. */
  readonly workflow: string;
  /** The version of it. @default that of its applied plans, when they have one version; else the newest */
  readonly version?: string;
  /** A group that it is one of: commands over the group are for it, too. @default none */
  readonly group?: string;
  /** Values for inputs, which a launch may change. @default the inputs' own defaults */
  readonly inputs?: PlannedInputsOf<W>;
  /** Values for inputs, which a launch may not change. @default none */
  readonly fixedInputs?: PlannedInputsOf<W>;
  /**
   * When it fires by itself: cron expressions of five fields, aliases such as `@daily`, or intervals such as `@every 30s`, of at least ten seconds.
   * @default never: it is launched by hand
   */
  readonly schedule?: string | readonly string[];
  /**
   * Whether its schedule is switched off. When this is left out, a plan that somebody activated or deactivated stays so.
   * @default false
   */
  readonly suspended?: boolean;
  /** How late a run may start; later it is missed. @default no limit */
  readonly startingDeadlineSeconds?: number;
  /** For a whole run; then what still runs is stopped and the run fails. @default none */
  readonly timeoutSeconds?: number;
  /** How long a finished run and its record stay. @default until the plan's history limit is reached */
  readonly ttlSecondsAfterFinished?: number;
  /** How many steps may run at once. @default 25 */
  readonly parallelism?: number;
  /** A whole number: where runs wait for the same lock or limit, those with a higher one come first. @default 0 */
  readonly priority?: number;
  /** The service account of the steps' pods, by name. @default the tasks' own */
  readonly serviceAccount?: string;
  /** Variables of every step's main container, merged over its own; `null` removes one. @default none */
  readonly env?: Readonly<Record<string, EnvironmentValue | null>>;
  /** Merged over the pod of every step. @default nothing */
  readonly podTemplate?: PodTemplateOverride;
  /** Merged over the Job around the pod, of every step that runs as a Job. @default nothing */
  readonly job?: JobOverride;
  /** How runs use kept results: `Off` takes none and keeps none, `Overwrite` takes none and keeps its own. @default they take them, and keep their own */
  readonly cache?: CacheMode;
  /** Retries of steps that say nothing of them: how many, or as graphs have them. @default none */
  readonly retries?: number | RetryPolicy;
  /** Labels of the plan, its runs and their pods. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Annotations of the plan, its runs and their pods. @default none */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Sequences each run by a pod of its own, for clusters without a controller. @default the cluster's controller sequences all runs */
  readonly driver?: boolean | { readonly image?: string; readonly serviceAccount?: string };
  /** Who is told of its runs, by a name of your choice; `false` takes off one that the workflow or fleet has. @default nobody */
  readonly notifications?: Readonly<Record<string, PlanNotification | false>>;
  /** Where people see a run, which notifications link to: a URL with fields in braces, as `{namespace}` and `{run}`. @default there is no link */
  readonly runUrl?: string;
  /** How many succeeded runs are kept. @default 3 */
  readonly successfulRunsHistoryLimit?: number;
  /** How many failed runs are kept. @default 3 */
  readonly failedRunsHistoryLimit?: number;
}

/** What became of a plan that was registered. */
export interface RegisteredPlan {
  readonly outcome: 'created' | 'updated' | 'unchanged';
  readonly plan: PlanInfo;
}
