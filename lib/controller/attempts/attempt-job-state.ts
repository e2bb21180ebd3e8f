import type { AttemptState } from '../../engine/advance.ts';
import type { Instant } from '../../engine/record.ts';
import { pods } from '../../kube/resources.ts';
import type { AttemptEntry } from './attempt-entry.ts';
import { endedRunState, openRunState } from './child-run-state.ts';
import { indexedJobEnd } from './indexed-job-end.ts';
import { indexedJobState } from './indexed-job-state.ts';
import { isFinished, isOwnedBy, type Pod } from '../objects.ts';
import { readRecordOf } from '../run/record-reader.ts';
import { endingPod, stepJobState, tellsEnd } from './step-job-status.ts';
import type { WorkerContext } from '../worker-context.ts';

/** Whether the end of an attempt that is a Job has to be asked for: the record of a run; pods, whose watch may be behind that of Jobs. */
export function mustBeAsked({ step, job, pod }: AttemptEntry): boolean {
  return isFinished(job!) && (step.kind !== 'task' || !tellsEnd(job!, pod));
}

/** What is known of an attempt that is a Job by what was seen of it. */
export function seenJobState({ step, job, pod }: AttemptEntry, now: Instant): AttemptState {
  if (step.kind === 'run') return openRunState(job!);
  if (step.kind === 'indexedMap') return indexedJobState(job!, pod, now);
  const needsOutputs = (step.outputs?.required.length ?? 0) > 0;
  return stepJobState(job!, pod, needsOutputs, now);
}

/** How an attempt ended whose Job is finished. */
export async function endedJobState(
  context: WorkerContext,
  entry: AttemptEntry,
  signal: AbortSignal,
): Promise<AttemptState> {
  const { client, clock } = context;
  const { step, job } = entry;
  if (step.kind === 'run') {
    const record = await readRecordOf({ ...context, client: entry.place!.client }, job!, signal);
    return endedRunState(step, job!, record, clock.now());
  }
  if (step.kind === 'indexedMap') return indexedJobEnd(context, step, job!, (entry.seen ??= new Map()), signal);
  const { namespace, name, uid } = job!.metadata;
  const labelSelector = `batch.kubernetes.io/job-name=${name}`;
  const { items } = await client.list<Pod>(pods, { namespace, labelSelector, signal });
  entry.pod = endingPod(
    job!,
    items.filter((pod) => isOwnedBy(pod, uid!)),
  );
  return seenJobState(entry, clock.now());
}
