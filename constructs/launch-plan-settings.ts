import type { Duration } from 'cdk8s';
import type { NoValues, Shape } from '../lib/values/shape.ts';
import type { PlannedValues } from './kickoff-time.ts';
import type { PlacementProps } from './plan-place.ts';
import type { RunSettings } from './run-job.ts';
import type { Schedule } from './schedule.ts';
import type { Task } from './task.ts';
import type { Workflow } from './workflow.ts';

/** What a plan launches: a workflow, which the controller sequences, or one task, which Kubernetes runs by itself. */
export type Launched<I extends Shape, R extends object = object> =
  | { readonly workflow: Workflow<I, R>; readonly task?: never }
  | { readonly task: Task<I, Shape>; readonly workflow?: never };

/** When a plan fires, and what happens when it does. */
export interface LaunchPlanTimingSettings {
  /**
   * When it fires by itself; of several schedules, whenever one of them does, and once when two do. Several that no single cron expression
   * could say need a controller, and are read in UTC without a `timeZone`.
   * @default never: it is launched by hand
   */
  readonly schedule?: Schedule | readonly Schedule[];
  /** The zone that the schedule is read in, such as `Europe/Berlin`. @default that of the cluster's controller manager, most often UTC */
  readonly timeZone?: string;
  /**
   * What happens when it fires while its last run still goes on: both run (`Allow`), the new one is not made until the last has ended (`Forbid`), the
   * last one is deleted (`Replace`), or the new one waits for its turn (`{ queue: 5 }`) behind at most so many others, and is skipped when
   * there are more. A queue needs a controller, and those who launch by hand wait in it and are never skipped.
   * @default 'Forbid'
   */
  readonly concurrencyPolicy?: 'Allow' | 'Forbid' | 'Replace' | { readonly queue: number };
  /** Switches the schedule off. @default false */
  readonly suspended?: boolean;
  /** How late a run may start; later it is missed. @default Kubernetes' own: no limit */
  readonly startingDeadline?: Duration;
  /**
   * What becomes of times that were missed while the control plane was down or the plan suspended: `latest` starts a run for the last of them, as
   * Kubernetes does; `none` starts no run that is more than 30 seconds late; `all` starts a run for each of them, in their order, but for no more
   * than the last 100 and for none that is older than the `startingDeadline`. It needs a controller, and with `'Forbid'` runs wait for each other.
   * @default 'latest'
   */
  readonly catchUp?: 'none' | 'latest' | 'all';
  /**
   * The times from which on and up to which it fires, in ISO 8601 with their offset from UTC. What is scheduled for another time is skipped by the
   * controller, which it needs; a launch by hand is not.
   * @default always
   */
  readonly between?: { readonly from?: string; readonly to?: string };
  /**
   * Until when it is paused, in ISO 8601 with its offset from UTC: what is scheduled for before is skipped by the controller, which it needs.
   * @default it is not
   */
  readonly pausedUntil?: string;
}

export interface LaunchPlanSettings<I extends Shape> extends RunSettings, PlacementProps, LaunchPlanTimingSettings {
  /** Name of the plan and its CronJob; a DNS label of at most 52 characters. @default the construct's id */
  readonly name?: string;
  /** Values for inputs, which a launch may change. @default the inputs' own defaults */
  readonly inputs?: PlannedValues<I>;
  /** Values for inputs, which a launch may not change. @default none */
  readonly fixedInputs?: PlannedValues<I>;
  /** How many succeeded runs are kept. @default 3 */
  readonly successfulRunsHistoryLimit?: number;
  /** How many failed runs are kept. @default 3 */
  readonly failedRunsHistoryLimit?: number;
}

export type LaunchPlanProps<I extends Shape, R extends object = object> = LaunchPlanSettings<I> & Launched<I, R>;

/**
 * What holds for plans and runs that do not say otherwise: of a workflow for those of it, of a fleet for all. A plan's own
 * settings go over those of its group, these over those of its workflow, and these over those of the fleet: field by field, and maps key by key.
 */
export type RunDefaults = Pick<
  LaunchPlanSettings<NoValues>,
  | 'annotations'
  | 'cache'
  | 'concurrencyPolicy'
  | 'driver'
  | 'env'
  | 'failedRunsHistoryLimit'
  | 'labels'
  | 'parallelism'
  | 'priority'
  | 'serviceAccount'
  | 'startingDeadline'
  | 'successfulRunsHistoryLimit'
  | 'timeout'
  | 'timeZone'
  | 'ttlAfterFinished'
>;
