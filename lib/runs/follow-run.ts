import { hasGraph, isOver, summaryOf } from './run-summary.ts';
import { readRunState, recordOf, type RunState } from './run-state.ts';
import type { ConfigMapObject, RunJob } from './run-objects.ts';
import { WorkflowsError } from './errors.ts';
import { recordName } from '../graph/object-names.ts';
import type { KubeClient } from '../kube/client.ts';
import { Reflector } from '../kube/reflector.ts';
import { configMaps, jobs } from '../kube/resources.ts';

/** How to follow a run. */
export interface FollowOptions {
  readonly signal: AbortSignal;
  /** Called with the state at first, and whenever it changed. */
  readonly onChange?: (state: RunState) => void;
}

/**
 * Follows a run by two watches, of its Job and its record, until it is over; the result is its last state.
 *
 * @throws WorkflowsError when somebody deletes the run
 * @throws the signal's reason when it is aborted
 */
export async function followRun(
  client: KubeClient,
  job: RunJob,
  { signal, onChange }: FollowOptions,
): Promise<RunState> {
  const { name, namespace, uid } = job.metadata;
  const ended = Promise.withResolvers<RunJob>();
  let state = await readRunState(client, job, signal);
  const change = (part: Partial<RunState>): void => {
    state = { ...state, ...part };
    onChange?.(state);
  };
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  const take = (next: RunJob): void => {
    if (next.metadata.uid !== uid) return ended.reject(gone(name));
    change({ job: next });
    if (isOver(summaryOf(next).phase)) ended.resolve(next);
  };
  const jobWatch = new Reflector<RunJob>(client, jobs, {
    namespace,
    fieldSelector: `metadata.name=${name}`,
    onChange: take,
    onDelete: () => ended.reject(gone(name)),
    // Deleted between our read and the watch's first list.
    onSynced: () => jobWatch.size === 0 && ended.reject(gone(name)),
  });
  const recordWatch = new Reflector<ConfigMapObject>(client, configMaps, {
    namespace,
    fieldSelector: `metadata.name=${recordName(name)}`,
    onChange: (map) => {
      const { record } = recordOf(map);
      if (record !== undefined) change({ record });
    },
  });
  const onAbort = (): void => ended.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  onChange?.(state);
  try {
    signal.throwIfAborted();
    jobWatch.start(until);
    if (hasGraph(job)) recordWatch.start(until);
    const last = await ended.promise;
    // The Job's watch may be ahead of the record's.
    return await readRunState(client, last, signal);
  } finally {
    signal.removeEventListener('abort', onAbort);
    stop.abort();
  }
}

function gone(name: string): WorkflowsError {
  return new WorkflowsError('Deleted', `The run ${name} was deleted`);
}
