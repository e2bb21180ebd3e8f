import { annotations, labels } from '../../graph/labels.ts';
import { hasCondition, type Job } from '../objects.ts';
import { scheduledAt } from '../../runs/run-kinds.ts';

/** How a run or a single task came to its end. */
export interface RunEnd {
  readonly phase: 'Succeeded' | 'Failed' | 'Cancelled';
  readonly reason: string;
  readonly message: string;
  /** In milliseconds since the epoch. */
  readonly at: number;
}

/** What its Job says of a run, or of a single task, to those who tell others. */
export interface RunFacts {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly plan?: string;
  readonly workflow?: string;
  readonly group?: string;
  readonly createdAt: number;
  /** When it was to begin; a run that fills up for a time that has passed is never late. */
  readonly dueAt?: number;
  /** When a schedule wanted it to start. */
  readonly scheduledAt?: number;
  readonly startedAt?: number;
  readonly end?: RunEnd;
  /** How many runs of its plan failed in a row just before it ended, if that was written down. */
  readonly failuresBefore?: number;
}

/** Pure: the Job tells all of it, so that it is the same for every controller that looks. */
export function runFacts(job: Job): RunFacts {
  const { uid = '', name, namespace = '', creationTimestamp, labels: given = {} } = job.metadata;
  const { [labels.plan]: plan, [labels.workflow]: workflow, [labels.group]: group } = given;
  const scheduled = scheduledAt(job);
  const createdAt = timeOf(creationTimestamp) ?? 0;
  const startedAt = timeOf(job.status?.startTime);
  const end = endOf(job);
  const before = Number(job.metadata.annotations?.[annotations.failuresBefore] ?? NaN);
  return {
    uid,
    name,
    namespace,
    createdAt,
    ...(given[labels.backfill] === undefined && { dueAt: scheduled ?? createdAt }),
    ...(plan !== undefined && { plan }),
    ...(workflow !== undefined && { workflow }),
    ...(group !== undefined && { group }),
    ...(scheduled !== undefined && { scheduledAt: scheduled }),
    ...(startedAt !== undefined && { startedAt }),
    ...(end && { end }),
    ...(Number.isSafeInteger(before) && { failuresBefore: before }),
  };
}

function endOf(job: Job): RunEnd | undefined {
  const { conditions = [], completionTime } = job.status ?? {};
  const type = ['Complete', 'Failed'].find((each) => hasCondition(conditions, each));
  if (type === undefined) return undefined;
  const { reason = '', message = '', lastTransitionTime } = conditions.find((each) => each.type === type)!;
  const at = timeOf(completionTime) ?? timeOf(lastTransitionTime) ?? 0;
  if (type === 'Complete') return { phase: 'Succeeded', reason, message, at };
  return { phase: wasCancelled(job, reason) ? 'Cancelled' : 'Failed', reason, message, at };
}

/** Kubernetes knows of no cancelling: a single task, or the pod of a driver, fails when it is stopped. */
function wasCancelled({ metadata, spec }: Job, reason: string): boolean {
  if (spec?.managedBy !== undefined) return reason === 'CancelRequested';
  return metadata.annotations?.[annotations.cancel] !== undefined;
}

function timeOf(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : time;
}
