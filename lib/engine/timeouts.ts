import type { ContainerStep, TaskStep } from '../graph/graph.ts';
import { liveAttempt } from './phases.ts';
import type { AttemptRecord, FailureKind, Instant, StepRecord } from './record.ts';
import type { StepReason } from './reasons.ts';

/** Whether an attempt that was stopped for this reason was too slow. */
export function isTimeout(reason: StepReason): boolean {
  return reason === 'StepTimeout' || isAttemptTimeout(reason);
}

/** The same of the timeouts after which another attempt may follow. */
export function isAttemptTimeout(reason: StepReason): boolean {
  return reason === 'AttemptTimeout' || reason === 'PendingTimeout' || reason === 'StartupTimeout';
}

/** When the step as a whole is out of time; nothing once it is stopped for good. */
export function stepTimeoutAt(node: TaskStep, record: StepRecord): Instant | undefined {
  const stopping = liveAttempt(record)?.stopping;
  if (node.timeoutSeconds === undefined || record.readyAt === undefined) return undefined;
  if (stopping !== undefined && !isAttemptTimeout(stopping)) return undefined;
  return record.readyAt + node.timeoutSeconds * 1000;
}

/** When the live attempt is out of time: one clock runs until its container starts, of a service until it is ready, the other from its start on. */
export function attemptTimeout(node: ContainerStep, record: StepRecord): AttemptDeadline | undefined {
  const attempt = liveAttempt(record);
  if (attempt === undefined || attempt.stopping !== undefined) return undefined;
  const { createdAt, startedAt } = attempt;
  const { pendingTimeoutSeconds = Infinity, attemptTimeoutSeconds = Infinity } = node;
  const pendingAt = createdAt + pendingTimeoutSeconds * 1000;
  const attemptAt = startedAt === undefined ? Infinity : startedAt + attemptTimeoutSeconds * 1000;
  const isPending = startedAt === undefined || (node.kind === 'service' && record.reason !== 'ServiceReady');
  if (isPending && pendingAt <= attemptAt && pendingAt < Infinity)
    return { reason: startedAt === undefined ? 'PendingTimeout' : 'StartupTimeout', at: pendingAt };
  return attemptAt === Infinity ? undefined : { reason: 'AttemptTimeout', at: attemptAt };
}

interface AttemptDeadline {
  readonly at: Instant;
  readonly reason: 'AttemptTimeout' | 'PendingTimeout' | 'StartupTimeout';
}

/** What a timeout is as a failure. A container that does not start is the platform's: no line of the task has run. */
export function timedOut(node: TimeLimits, reason: StepReason, attempt?: AttemptRecord): TimeoutFailure {
  if (reason === 'PendingTimeout') {
    const waited = attempt?.message === undefined ? '' : `: ${attempt.message}`;
    const message = `its container did not start in ${node.pendingTimeoutSeconds} s (pending timeout)${waited}`;
    return { failure: 'system', reason, message };
  }
  if (reason === 'StartupTimeout')
    return {
      failure: 'user',
      reason,
      message: `it was not ready in ${node.pendingTimeoutSeconds} s (pending timeout)`,
    };
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
