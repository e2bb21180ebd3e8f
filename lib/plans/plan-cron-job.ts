import { annotations } from '../graph/labels.ts';
import type { LaunchPlanTiming } from './launch-plan-timing.ts';

/** What the CronJob of a plan is made of. */
export interface PlanCronJobParts<T extends object = object> {
  readonly name: string;
  /** @default said elsewhere */
  readonly namespace?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The names of the inputs that no launch can change. */
  readonly fixedInputs: Iterable<string>;
  readonly timing: LaunchPlanTiming;
  readonly suspend: boolean;
  /** @default 3 */
  readonly successfulRunsHistoryLimit?: number;
  /** @default 3 */
  readonly failedRunsHistoryLimit?: number;
  /** `spec.jobTemplate`. */
  readonly jobTemplate: T;
}

/** The CronJob that is a launch plan. */
export function planCronJob<T extends object>(parts: PlanCronJobParts<T>) {
  const fixed = [...new Set(parts.fixedInputs)].sort();
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: {
      name: parts.name,
      ...(parts.namespace !== undefined && { namespace: parts.namespace }),
      labels: parts.labels,
      annotations: { ...parts.annotations, [annotations.fixedInputs]: JSON.stringify(fixed) },
    },
    spec: {
      ...parts.timing.spec,
      suspend: parts.suspend,
      successfulJobsHistoryLimit: parts.successfulRunsHistoryLimit ?? 3,
      failedJobsHistoryLimit: parts.failedRunsHistoryLimit ?? 3,
      jobTemplate: parts.jobTemplate,
    },
  };
}
