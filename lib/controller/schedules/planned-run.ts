import { annotations, labels, SCHEDULED_AT } from '../../graph/labels.ts';
import { kickoffText } from '../../graph/kickoff.ts';
import type { KubeObject, NewObject } from '../../kube/objects.ts';
import type { JsonObject } from '../../values/json.ts';

/** The CronJob of a plan, with what a run is made of. */
export interface PlanObject extends KubeObject {
  readonly spec: {
    readonly schedule: string;
    readonly timeZone?: string;
    readonly suspend?: boolean;
    readonly concurrencyPolicy?: string;
    readonly startingDeadlineSeconds?: number;
    readonly successfulJobsHistoryLimit?: number;
    readonly failedJobsHistoryLimit?: number;
    readonly jobTemplate: {
      readonly metadata?: {
        readonly labels?: Readonly<Record<string, string>>;
        readonly annotations?: Readonly<Record<string, string>>;
      };
      readonly spec: JsonObject;
    };
  };
  readonly status?: {
    readonly lastScheduleTime?: string;
    /** The Jobs that it has made and that go on. */
    readonly active?: readonly { readonly name?: string }[];
  };
}

/**
 * The name of a plan's run: with the minutes since the epoch, as Kubernetes names it (pkg/controller/cronjob/utils.go: getJobName); with the
 * seconds where more than one is made in a minute.
 */
export function plannedRunName(plan: string, time: number, every: number | undefined): string {
  return `${plan}-${Math.floor(time / (every === undefined ? 60_000 : 1_000))}`;
}

/**
 * A run that a plan starts at a time, as the CronJob controller would make it. It goes with the plan, which does not take it for its own: the
 * CronJob controller warns of Jobs of its own that it did not make.
 *
 * @param every the interval in seconds, of one that fires more often than once a minute
 * @param more annotations besides
 */
export function plannedRun(
  plan: PlanObject,
  time: number,
  every: number | undefined,
  more: Readonly<Record<string, string>> = {},
): NewObject {
  const { name, namespace, uid } = plan.metadata;
  const { metadata = {}, spec } = plan.spec.jobTemplate;
  const { [annotations.every]: _, ...notes } = metadata.annotations ?? {};
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: plannedRunName(name, time, every),
      namespace,
      labels: { [labels.plan]: name, ...metadata.labels },
      annotations: { ...notes, ...more, [SCHEDULED_AT]: kickoffText(time) },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name, uid: uid!, controller: false }],
    },
    spec,
  };
}
