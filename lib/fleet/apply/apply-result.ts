import type { KubeObject } from '../../kube/objects.ts';

/** A manifest that is to be applied. */
export interface Manifest {
  readonly object: KubeObject;
  /** The file it came from, for messages. */
  readonly source?: string;
}

/**
 * What became of an object. `skipped`: it is in order, but was not written because an object that comes before it failed.
 * `pruned`: it left the directory and was deleted. `kept`: it left the directory and still exists.
 */
export const applyOutcomes = ['created', 'configured', 'unchanged', 'pruned', 'kept', 'failed', 'skipped'] as const;
export type ApplyOutcome = (typeof applyOutcomes)[number];

/** Why an object was not applied, or not deleted. */
export interface ApplyFailure {
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** One object after an apply. */
export interface AppliedObject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly outcome: ApplyOutcome;
  readonly source?: string;
  /** Set when it failed. */
  readonly failure?: ApplyFailure;
  /** Set when it is a plan that goes on to start runs of the version it has, though its manifest names another. */
  readonly held?: boolean;
  /** Why it was kept. */
  readonly reason?: ApplyFailure;
  /** Why it was written, or was as it should be, and does not work yet. */
  readonly notReady?: ApplyFailure;
}

/** One cluster after an apply. */
export interface ApplyResult {
  readonly objects: readonly AppliedObject[];
  /** Set when the cluster as a whole could not be worked with, or not to the end. */
  readonly failure?: ApplyFailure;
}

/** Whether everything was applied, or would have been, and is ready if that was waited for. */
export function isApplied({ objects, failure }: ApplyResult): boolean {
  return (
    failure === undefined &&
    objects.every(({ outcome, notReady }) => outcome !== 'failed' && outcome !== 'skipped' && notReady === undefined)
  );
}
