import type { AttemptState } from '../../engine/advance.ts';
import type { Instant } from '../../engine/record.ts';
import { hasCondition, isFinished, type Job, type Pod } from '../objects.ts';
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
    // Kueue and others let a Job begin when there is room for it.
    if (job.spec?.suspend === true) return { kind: 'pending', message: 'its Job is suspended' };
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
  return jobFailure(job, now);
}

/** How a Job failed, as it says itself. */
export function jobFailure({ status }: Job, now: Instant): AttemptState & { readonly kind: 'failed' } {
  const failed = status?.conditions?.find(({ type }) => type === 'Failed');
  const deadline = failed?.reason === 'DeadlineExceeded';
  return {
    kind: 'failed',
    failure: deadline ? 'user' : 'system',
    reason: deadline ? 'AttemptTimeout' : 'PodDeleted',
    message: failed?.message ?? 'its Job failed',
    finishedAt: instant(failed?.lastTransitionTime, now),
  };
}

/** The pod of a finished Job that tells most of its end: of several that succeeded, that of index 0, which gives the outputs. */
export function endingPod(job: Job, pods: readonly Pod[]): Pod | undefined {
  const phase = hasCondition(job.status?.conditions, 'Complete') ? 'Succeeded' : 'Failed';
  const ended = pods.filter(({ status }) => status?.phase === phase);
  return ended.find(({ metadata }) => metadata.labels?.[COMPLETION_INDEX] === '0') ?? ended[0];
}

const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index';

/** Whether the pod that is known of a finished Job is the one that tells its end, so that nobody has to look for another. */
export function tellsEnd(job: Job, pod: Pod | undefined): boolean {
  return pod !== undefined && (job.spec?.completions ?? 1) === 1 && endingPod(job, [pod]) !== undefined;
}

/** Of the pods of a Job that runs, the one that tells more of it: what runs already is not made to wait by one that is new. */
export function livelierPod(known: Pod | undefined, seen: Pod, now: Instant): Pod {
  if (known === undefined || known.metadata.uid === seen.metadata.uid) return seen;
  return attemptState(known, now).kind === 'running' && attemptState(seen, now).kind !== 'running' ? known : seen;
}

function instant(time: string | undefined, otherwise: Instant): Instant {
  const at = time ? Date.parse(time) : NaN;
  return Number.isNaN(at) ? otherwise : at;
}
