import { labels, NEVER } from '../graph/labels.ts';
import type { PlanCronJob } from './run-objects.ts';

/** Which plan a CronJob is, whoever asks. */
export interface PlanIdentity {
  readonly name: string;
  readonly namespace: string;
  readonly group?: string;
  readonly workflow?: string;
  /** Of a plan that runs a single task. */
  readonly task?: string;
  readonly version?: string;
  readonly timeZone?: string;
  /** Whether it starts runs by its schedule. */
  readonly active: boolean;
  /** The name of the program that registered it; nothing of one that was applied. */
  readonly registeredBy?: string;
}

export function planIdentity(plan: PlanCronJob): PlanIdentity {
  const { metadata, spec } = plan;
  const given = metadata.labels ?? {};
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    group: given[labels.group],
    workflow: given[labels.workflow],
    task: given[labels.task],
    version: given[labels.version],
    timeZone: spec.timeZone,
    active: isScheduled(plan) && spec.suspend !== true,
    registeredBy: given[labels.registeredBy],
  };
}

/** Whether it has a schedule, active or not. */
export function isScheduled({ spec }: PlanCronJob): boolean {
  return spec.schedule !== NEVER;
}
