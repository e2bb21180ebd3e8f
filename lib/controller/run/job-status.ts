import type { StepRecord, RunState, Instant } from '../../engine/record.ts';
import type { StepReason } from '../../engine/reasons.ts';
import { shorten, type Condition, type JobStatus } from '../objects.ts';

/** How the steps of a run stand, as its Job's status tells it. */
export interface Progress {
  readonly run: Pick<RunState, 'phase' | 'reason' | 'message' | 'startedAt' | 'finishedAt'>;
  /** Attempts that were asked for and whose end was not seen. */
  readonly active: number;
  /** Steps that are done: they succeeded, or were skipped as the author meant. */
  readonly done: number;
  readonly failed: number;
  readonly suspended: boolean;
}

/**
 * Skipping that is the workflow's own will, and so counts as done. A step that another's failure or a
 * cancellation kept from running does not.
 */
const meant: ReadonlySet<StepReason> = new Set(['WhenFalse', 'SkippedByHand', 'InputUnavailable', 'UpstreamSkipped']);

/** Whether a step counts as done in `kubectl get jobs`. */
export function isDone({ phase, reason }: Pick<StepRecord, 'phase' | 'reason'>): boolean {
  return phase === 'Succeeded' || (phase === 'Skipped' && meant.has(reason));
}

/**
 * The status of a run's Job, following the rules that the API server has for controllers other than its own: `startTime`
 * first and for good, counters that never fall, nothing active in a finished Job, `SuccessCriteriaMet` with `Complete`,
 * `FailureTarget` with `Failed`, a `completionTime` with `Complete` only.
 * (pkg/registry/batch/job/strategy.go, pkg/apis/batch/validation/validation.go: validateJobStatus)
 *
 * @param before the Job's status as last read
 */
export function projectStatus(before: JobStatus | undefined, progress: Progress, now: Instant): JobStatus {
  const { run } = progress;
  const finished = run.phase !== 'Running';
  const startTime = before?.startTime ?? rfc3339(run.startedAt);
  const at = rfc3339(now);
  const conditions = finished
    ? withConditions(before?.conditions, endConditions(run), at)
    : withConditions(before?.conditions, suspension(before, progress), at);
  const end = rfc3339(run.finishedAt ?? now);
  return {
    startTime,
    active: finished ? 0 : progress.active,
    succeeded: Math.max(before?.succeeded ?? 0, progress.done),
    failed: Math.max(before?.failed ?? 0, progress.failed),
    ready: 0,
    terminating: 0,
    conditions,
    ...(run.phase === 'Succeeded' && { completionTime: before?.completionTime ?? (end < startTime ? startTime : end) }),
  };
}

/** The status of a run that waits for `spec.suspend` to be taken back before it begins: it has no `startTime` yet. */
export function suspendedStatus(before: JobStatus | undefined, now: Instant): JobStatus {
  const conditions = withConditions(before?.conditions, [suspended('True')], rfc3339(now));
  return { ...before, active: 0, ready: 0, terminating: 0, conditions };
}

/** Whether two statuses say the same. */
export function sameStatus(a: JobStatus | undefined, b: JobStatus): boolean {
  const essence = (status: JobStatus | undefined) => [
    status?.startTime,
    status?.completionTime,
    status?.active ?? 0,
    status?.succeeded ?? 0,
    status?.failed ?? 0,
    (status?.conditions ?? []).map(({ type, status: holds, reason, message }) => [type, holds, reason, message]),
  ];
  return JSON.stringify(essence(a)) === JSON.stringify(essence(b));
}

type NewCondition = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

function endConditions({ phase, reason, message = '' }: Progress['run']): NewCondition[] {
  const success = phase === 'Succeeded';
  const end = { status: 'True', reason, message: shorten(message, 4096) };
  const types = success ? ['SuccessCriteriaMet', 'Complete'] : ['FailureTarget', 'Failed'];
  return types.map((type) => ({ type, ...end }));
}

function suspension(before: JobStatus | undefined, progress: Progress): NewCondition[] {
  if (progress.suspended) return [suspended('True')];
  return before?.conditions?.some(({ type }) => type === 'Suspended') ? [suspended('False')] : [];
}

function suspended(status: 'True' | 'False'): NewCondition {
  return status === 'True'
    ? { type: 'Suspended', status, reason: 'JobSuspended', message: 'The run is suspended: nothing new starts' }
    : { type: 'Suspended', status, reason: 'JobResumed', message: 'The run was resumed' };
}

/** Conditions with some set: what holds already keeps its time, and what others set stays. */
function withConditions(before: readonly Condition[] = [], wanted: readonly NewCondition[], at: string): Condition[] {
  const conditions = [...before];
  for (const condition of wanted) {
    const place = conditions.findIndex(({ type }) => type === condition.type);
    const known = conditions[place];
    if (known?.status === condition.status) continue;
    const next = { ...condition, lastProbeTime: at, lastTransitionTime: at };
    if (place < 0) conditions.push(next);
    else conditions[place] = next;
  }
  return conditions;
}

/** A time as Kubernetes writes it, in whole seconds. */
function rfc3339(instant: Instant): string {
  return new Date(instant).toISOString().replace(/\.\d+Z$/, 'Z');
}
