import type { AttemptState } from '../engine/advance.ts';
import type { Instant } from '../engine/record.ts';
import { hasCondition, isFinished, type Job, type Pod } from './objects.ts';
import { attemptState } from './pod-status.ts';

/**
 * What the Job of an attempt says of it. The Job knows how it ended also when its pod is gone; the
 * pod says why, and has the outputs.
 *
 * @param pod its pod, if one was seen
 * @param needsOutputs the step has outputs that must be there
 */
export function stepJobState(job: Job, pod: Pod | undefined, needsOutputs: boolean, now: Instant): AttemptState {
  const seen = pod && attemptState(pod, now);
  if (!isFinished(job)) {
    // Only the Job's own end counts: until then the Job controller has not written down its pod's.
    if (seen?.kind === 'running' || seen?.kind === 'pending') return seen;
    return seen?.startedAt === undefined ? { kind: 'pending' } : { kind: 'running', startedAt: seen.startedAt };
  }
  const { conditions, completionTime } = job.status!;
  if (hasCondition(conditions, 'Complete')) {
    if (seen?.kind === 'succeeded') return seen;
    const finishedAt = instant(completionTime, now);
    if (!needsOutputs) return { kind: 'succeeded', finishedAt };
    const message = 'its Job completed, but the pod that had its outputs is gone';
    return { kind: 'failed', failure: 'system', reason: 'PodDeleted', message, finishedAt };
  }
  if (seen?.kind === 'failed') return seen;
  const failed = conditions?.find(({ type }) => type === 'Failed');
  const deadline = failed?.reason === 'DeadlineExceeded';
  return {
    kind: 'failed',
    failure: deadline ? 'user' : 'system',
    reason: deadline ? 'AttemptTimeout' : 'PodDeleted',
    message: failed?.message ?? 'its Job failed',
    finishedAt: instant(failed?.lastTransitionTime, now),
  };
}

function instant(time: string | undefined, otherwise: Instant): Instant {
  const at = time ? Date.parse(time) : NaN;
  return Number.isNaN(at) ? otherwise : at;
}
