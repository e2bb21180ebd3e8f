import { fixedInputs } from '../runs/plan-inputs.ts';
import { isScheduled, planIdentity, type PlanIdentity } from '../runs/plan-identity.ts';
import type { PlanCronJob } from '../runs/run-objects.ts';
import { inputsOf } from '../runs/run-summary.ts';
import type { JsonObject } from '../values/json.ts';

/** A launch plan as it stands. */
export interface PlanInfo extends PlanIdentity {
  /** As `spec.schedule` of its CronJob; left out when it has none. */
  readonly schedule?: string;
  /** Default and fixed ones together, without those that are the time of a run; none of a single task, in whose pod they are written. */
  readonly inputs: JsonObject;
  /** Names of those that no launch can change. */
  readonly fixedInputs: readonly string[];
  /** When it started a run by its schedule last, in ISO 8601. */
  readonly lastScheduledAt?: string;
}

/** Reads a plan's CronJob. */
export function planInfo(plan: PlanCronJob): PlanInfo {
  const { spec, status } = plan;
  return {
    ...planIdentity(plan),
    schedule: isScheduled(plan) ? spec.schedule : undefined,
    inputs: inputsOf(spec.jobTemplate.metadata),
    fixedInputs: fixedInputs(plan),
    lastScheduledAt: status?.lastScheduleTime,
  };
}
