import type { AttemptState } from '../../engine/advance.ts';
import type { AttemptedStep } from '../../graph/items.ts';
import { neverEnded, noAccess, type AttemptEntry } from './attempt-entry.ts';
import { mustBeAsked, seenJobState } from './attempt-job-state.ts';
import type { Job } from '../objects.ts';
import type { Place } from './place.ts';
import type { WorkerContext } from '../worker-context.ts';

/** Where an attempt is, or is to be; nothing on a cluster to which there is no access. */
export function placeOf(
  step: AttemptedStep,
  run: Job,
  { client, graphs, remotes }: Pick<WorkerContext, 'client' | 'graphs' | 'remotes'>,
): Place | undefined {
  if (step.kind === 'run' && step.cluster !== undefined) return remotes?.place(step.cluster, run);
  return { client, graphs, namespace: run.metadata.namespace! };
}

/**
 * What to say of an attempt of which nothing is seen: that it is gone, or why nobody can look for it. Nothing as long as it
 * may be seen yet.
 *
 * @param gone what is said of one that is gone
 */
export function absentState(
  entry: AttemptEntry,
  { clock, mode }: Pick<WorkerContext, 'clock' | 'mode'>,
  gone: string,
): AttemptState | undefined {
  const { place, step } = entry;
  if (place === undefined) {
    const message = noAccess(entry, mode);
    // Nobody here can end it, and a run must come to an end.
    return entry.stopping === undefined ? { kind: 'unseen', message } : neverEnded(step, clock.now(), message);
  }
  const { elsewhere } = place;
  if (elsewhere?.trouble !== undefined) return { kind: 'unseen', message: elsewhere.trouble };
  return elsewhere?.known === false ? undefined : neverEnded(step, clock.now(), gone);
}

/** What to say of an attempt on another cluster that exists, since that could be looked at, or no more; nothing while its end is asked for. */
export function sightState(entry: AttemptEntry, { clock }: Pick<WorkerContext, 'clock'>): AttemptState | undefined {
  const trouble = entry.place?.elsewhere?.trouble;
  if (trouble !== undefined) return { kind: 'unseen', message: trouble };
  return mustBeAsked(entry) ? undefined : seenJobState(entry, clock.now());
}
