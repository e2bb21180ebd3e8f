import { labels, NEVER } from '../graph/labels.ts';
import { fixedInputs } from '../runs/plan-inputs.ts';
import type { PlanCronJob } from '../runs/run-objects.ts';
import { inputsOf } from '../runs/run-summary.ts';
import type { JsonObject } from '../values/json.ts';

/** A launch plan as it stands. */
export interface PlanInfo {
  readonly name: string;
  readonly namespace: string;
  readonly group?: string;
  readonly workflow?: string;
  /** Of a plan that runs a single task. */
  readonly task?: string;
  readonly version?: string;
  /** As `spec.schedule` of its CronJob; left out when it has none. */
  readonly schedule?: string;
  readonly timeZone?: string;
  /** Whether it starts runs by its schedule. */
  readonly active: boolean;
  /** Default and fixed ones together, without those that are the time of a run; none of a single task, in whose pod they are written. */
  readonly inputs: JsonObject;
  /** Names of those that no launch can change. */
  readonly fixedInputs: readonly string[];
  /** The name of the program that registered it; nothing of one that was applied. */
  readonly registeredBy?: string;
  /** When it started a run by its schedule last, in ISO 8601. */
  readonly lastScheduledAt?: string;
}

/** Reads a plan's CronJob. */
export function planInfo(plan: PlanCronJob): PlanInfo {
  const { metadata, spec, status } = plan;
  const given = metadata.labels ?? {};
  const scheduled = spec.schedule !== NEVER;
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    group: given[labels.group],
    workflow: given[labels.workflow],
    task: given[labels.task],
    version: given[labels.version],
    schedule: scheduled ? spec.schedule : undefined,
    timeZone: spec.timeZone,
    active: scheduled && spec.suspend !== true,
    inputs: inputsOf(spec.jobTemplate.metadata),
    fixedInputs: fixedInputs(plan),
    registeredBy: given[labels.registeredBy],
    lastScheduledAt: status?.lastScheduleTime,
  };
}
