import type { AttemptState } from '../../engine/advance.ts';
import { endOfItems, type ItemEnd } from '../../engine/item-ends.ts';
import { progressText } from '../../engine/item-texts.ts';
import type { Instant } from '../../engine/record.ts';
import type { IndexedMapStep } from '../../graph/graph.ts';
import { INDEX_ANNOTATION } from '../../pods/indexed-template.ts';
import { hasCondition, type Job, type Pod } from '../objects.ts';
import { attemptState } from './pod-status.ts';
import { jobFailure, stepJobState } from './step-job-status.ts';

/** What was seen of the pods of an Indexed Job that have ended, by index. */
export type SeenItems = Map<number, ItemEnd & { readonly at: Instant }>;

/** Takes in what a pod says of its item. One that succeeded is not forgotten for another; of those that failed the last counts. */
export function seeItem(seen: SeenItems, pod: Pod, now: Instant): void {
  const index = Number(pod.metadata.labels?.[INDEX_ANNOTATION] ?? NaN);
  const { phase } = pod.status ?? {};
  const known = seen.get(index);
  if (!Number.isInteger(index) || known?.kind === 'succeeded') return;
  const state = attemptState(pod, now);
  const at = state.kind === 'succeeded' || state.kind === 'failed' ? state.finishedAt : now;
  if (phase === 'Succeeded') {
    const outputs = state.kind === 'succeeded' && state.outputs;
    seen.set(index, { kind: 'succeeded', at, ...(outputs && { outputs }) });
  } else if (phase === 'Failed' && (known === undefined || known.at <= at)) {
    const message =
      state.kind === 'failed' ? (state.message ?? state.reason) : 'a container beside the main one failed';
    seen.set(index, { kind: 'failed', at, message });
  }
}

/** What the Job says of the attempt while it runs. */
export function indexedJobState(job: Job, pod: Pod | undefined, now: Instant): AttemptState {
  const { completions = 0 } = job.spec ?? {};
  const { startTime, succeeded = 0, ready = 0, failedIndexes } = job.status ?? {};
  const failed = indexesOf(failedIndexes, completions).length;
  const state = stepJobState(job, pod, false, now);
  const startedAt = state.kind === 'running' ? state.startedAt : Date.parse(startTime ?? '');
  const runs = state.kind === 'running' || ready + succeeded + failed > 0;
  if (!runs || Number.isNaN(startedAt)) return state;
  return { kind: 'running', startedAt, message: progressText(succeeded + failed, completions, failed) };
}

/** Whether there are indexes whose end the pods that were seen do not tell, so that others have to be looked for. */
export function hasUnseenItems(job: Job, seen: SeenItems): boolean {
  const { completed, failed } = endedIndexes(job);
  return completed.some((index) => seen.get(index)?.kind !== 'succeeded') || failed.some((index) => !seen.has(index));
}

/** What the end of the Job is for the step. Which items succeeded is the Job's to say; what they gave, and why others failed, their pods'. */
export function endedJobState(step: IndexedMapStep, job: Job, seen: SeenItems, now: Instant): AttemptState {
  const { completed, failed } = endedIndexes(job);
  const ends = new Map<number, ItemEnd>();
  for (const index of completed) {
    const end = seen.get(index);
    ends.set(index, end?.kind === 'succeeded' ? end : { kind: 'lost' });
  }
  for (const index of failed) {
    const end = seen.get(index);
    ends.set(index, end?.kind === 'failed' ? end : { kind: 'failed', message: 'its pod is gone' });
  }
  const startedAt = Date.parse(job.status?.startTime ?? '');
  const failure = jobFailure(job, now);
  // Nothing but its deadline, and what is said of its pods' failures, ends it before its items.
  const otherwise =
    failure.reason === 'AttemptTimeout' ? failure : ({ ...failure, failure: 'user', reason: 'ItemsFailed' } as const);
  const { finishedAt } = hasCondition(job.status?.conditions, 'Complete')
    ? { finishedAt: instant(job.status?.completionTime, now) }
    : failure;
  const begun = Number.isNaN(startedAt) ? {} : { startedAt };
  return endOfItems(step, { count: job.spec?.completions ?? 0, ends, ...begun, finishedAt, otherwise });
}

function endedIndexes({ spec, status }: Job) {
  const { completions = 0 } = spec ?? {};
  const completed = indexesOf(status?.completedIndexes, completions);
  const failed = indexesOf(status?.failedIndexes, completions);
  return { completed, failed };
}

/** `1,3-5,7`: the indexes in the status of a Job. Anybody may have written it, so none counts that cannot be one. (KEP-2214) */
export function indexesOf(text: string | undefined, completions: number): readonly number[] {
  const indexes: number[] = [];
  for (const part of (text ?? '').split(',')) {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    for (let index = Number(first ?? NaN); index <= Math.min(Number(last), completions - 1); index++)
      indexes.push(index);
  }
  return indexes;
}

function instant(time: string | undefined, otherwise: Instant): Instant {
  const at = Date.parse(time ?? '');
  return Number.isNaN(at) ? otherwise : at;
}
