import type { Duration } from 'cdk8s';
import type { IConstruct } from 'constructs';
import type { PlannedValues } from '../lib/plans/kickoff-time.ts';
import type { PlanTimingSettings } from '../lib/plans/launch-plan-timing.ts';
import { InvalidError } from '../lib/values/problems.ts';
import type { NoValues, Shape } from '../lib/values/shape.ts';
import type { PlacementProps } from './plan-place.ts';
import type { RunSettings } from './run-job.ts';
import type { Task } from './task.ts';
import type { Workflow } from './workflow.ts';

/** What a plan launches: a workflow, which the controller sequences, or one task, which Kubernetes runs by itself. */
export type Launched<I extends Shape, R extends object = object> =
  | { readonly workflow: Workflow<I, R>; readonly task?: never }
  | { readonly task: Task<I, Shape>; readonly workflow?: never };

/** @throws InvalidError when it is none or both, which the compiler refuses */
export function checkLaunched(construct: IConstruct, { workflow, task }: Partial<Launched<Shape>>): void {
  if ((workflow === undefined) !== (task === undefined)) return;
  const message = workflow === undefined ? 'is missing, and so is task' : 'is given, and so is task';
  throw new InvalidError(construct.node.path, [{ path: 'workflow', message, fix: 'give one of them' }]);
}

/** When a plan fires, and what happens when it does. */
export interface LaunchPlanTimingSettings extends PlanTimingSettings {
  /** How late a run may start; later it is missed. @default Kubernetes' own: no limit */
  readonly startingDeadline?: Duration;
}

export interface LaunchPlanSettings<I extends Shape> extends RunSettings, PlacementProps, LaunchPlanTimingSettings {
  /** Name of the plan and its CronJob; a DNS label of at most 52 characters. @default the construct's id */
  readonly name?: string;
  /**
   * The namespace of the plan and its runs. The graph of its workflow and the templates of the steps are written there too; service accounts,
   * Secrets and the like must be there. See `PlanNamespace`, which makes one.
   * @default that of the chart that the plan is in
   */
  readonly namespace?: string;
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
  | 'artifactRoot'
  | 'cache'
  | 'concurrencyPolicy'
  | 'driver'
  | 'env'
  | 'failedRunsHistoryLimit'
  | 'failurePolicy'
  | 'labels'
  | 'notifications'
  | 'parallelism'
  | 'priority'
  | 'retries'
  | 'runUrl'
  | 'serviceAccount'
  | 'spot'
  | 'startingDeadline'
  | 'successfulRunsHistoryLimit'
  | 'timeout'
  | 'timeZone'
  | 'ttlAfterFinished'
>;
