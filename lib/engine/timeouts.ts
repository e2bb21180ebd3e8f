import type { TaskStep } from '../graph/graph.ts';
import { liveAttempt } from './phases.ts';
import type { AttemptRecord, FailureKind, Instant, StepRecord } from './record.ts';
import type { StepReason } from './reasons.ts';

/** Whether an attempt that was stopped for this reason was too slow. */
export function isTimeout(reason: StepReason): boolean {
  return reason === 'StepTimeout' || isAttemptTimeout(reason);
}

/** The same of the timeouts after which another attempt may follow. */
export function isAttemptTimeout(reason: StepReason): boolean {
  return reason === 'AttemptTimeout' || reason === 'PendingTimeout';
}

/** When the step as a whole is out of time; nothing once it is stopped for good. */
export function stepTimeoutAt(node: TaskStep, record: StepRecord): Instant | undefined {
  const stopping = liveAttempt(record)?.stopping;
  if (node.timeoutSeconds === undefined || record.readyAt === undefined) return undefined;
  if (stopping !== undefined && !isAttemptTimeout(stopping)) return undefined;
  return record.readyAt + node.timeoutSeconds * 1000;
}

/** When the live attempt is out of time: one clock runs until its container starts, the other from then on. */
export function attemptTimeout(
  node: TaskStep,
  record: StepRecord,
): { readonly at: Instant; readonly reason: 'AttemptTimeout' | 'PendingTimeout' } | undefined {
  const attempt = liveAttempt(record);
  if (attempt === undefined || attempt.stopping !== undefined) return undefined;
  const [reason, from, seconds] =
    attempt.startedAt === undefined
      ? (['PendingTimeout', attempt.createdAt, node.pendingTimeoutSeconds] as const)
      : (['AttemptTimeout', attempt.startedAt, node.attemptTimeoutSeconds] as const);
  return seconds === undefined ? undefined : { reason, at: from + seconds * 1000 };
}

/** What a timeout is as a failure. A container that does not start is the platform's: no line of the task has run. */
export function timedOut(node: TimeLimits, reason: StepReason, attempt?: AttemptRecord): TimeoutFailure {
  if (reason === 'PendingTimeout') {
    const waited = attempt?.message === undefined ? '' : `: ${attempt.message}`;
    const message = `its container did not start in ${node.pendingTimeoutSeconds} s (pending timeout)${waited}`;
    return { failure: 'system', reason, message };
  }
  const [seconds, whose] =
    reason === 'StepTimeout' ? [node.timeoutSeconds, 'step'] : [node.attemptTimeoutSeconds, 'attempt'];
  return { failure: 'user', reason, message: `no end in ${seconds} s (${whose} timeout)` };
}

type TimeLimits = Pick<TaskStep, 'timeoutSeconds' | 'attemptTimeoutSeconds' | 'pendingTimeoutSeconds'>;

interface TimeoutFailure {
  readonly failure: FailureKind;
  readonly reason: StepReason;
  readonly message: string;
}
