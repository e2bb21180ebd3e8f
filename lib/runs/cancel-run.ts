import { annotations, type CancelMode } from '../graph/labels.ts';
import type { KubeClient } from '../kube/client.ts';
import { jobs } from '../kube/resources.ts';
import { WorkflowsError } from './errors.ts';
import type { RunJob } from './run-objects.ts';
import { hasGraph, isOver, summaryOf } from './run-summary.ts';

/** How much each mode stops: the engine goes to a stricter one only. */
const strictness: Readonly<Record<CancelMode, number>> = { Drain: 0, RunFinally: 1, Now: 2 };

/**
 * Asks for the end of a run. `already`: somebody has asked for as much before. `cancelled`: it has come to that end.
 *
 * @throws WorkflowsError when the run has come to another end
 */
export async function cancelRun(
  client: KubeClient,
  job: RunJob,
  mode: CancelMode,
  signal?: AbortSignal,
): Promise<{ readonly outcome: 'asked' | 'cancelled' } | { readonly outcome: 'already'; readonly mode: CancelMode }> {
  const { name, namespace } = job.metadata;
  const { phase } = summaryOf(job);
  if (phase === 'Cancelled') return { outcome: 'cancelled' };
  if (isOver(phase))
    throw new WorkflowsError('Conflict', `The run ${name} is over (${phase}); there is nothing to cancel`);
  const asked = job.metadata.annotations?.[annotations.cancel] as CancelMode | undefined;
  if (asked !== undefined && (strictness[asked] ?? -1) >= strictness[mode]) return { outcome: 'already', mode: asked };
  await client.patch(jobs, name, patchFor(job, mode), { type: 'merge', namespace, repeatable: true, signal });
  return { outcome: 'asked' };
}

/**
 * Nothing of ours looks at the Job of a single task: a deadline that has passed makes the built-in controller stop its pods and
 * keep the Job as failed. A suspended Job has no clock, so it goes on for that moment.
 */
function patchFor(job: RunJob, mode: CancelMode): object {
  const metadata = { annotations: { [annotations.cancel]: mode } };
  return hasGraph(job) ? { metadata } : { metadata, spec: { activeDeadlineSeconds: 1, suspend: false } };
}
