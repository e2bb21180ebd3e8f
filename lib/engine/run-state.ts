import type { StepNode } from '../graph/graph.ts';
import type { RunState } from './record.ts';

/** Whether a run is past starting steps, but for those that run at its end. */
export function isEnding({ reason }: RunState): boolean {
  return reason === 'StepFailed' || isBeingStopped({ reason });
}

/** Whether a run ends because it was told to or its time is up. */
export function isBeingStopped({ reason }: Pick<RunState, 'reason'>): boolean {
  return reason === 'RunTimeout' || reason === 'CancelRequested';
}

/** Whether a step may start no more: its run is ending, or, where the step is for the end of the run, was cancelled with all it has. */
export function isTooLate(state: RunState, { role }: StepNode): boolean {
  return role === undefined ? isEnding(state) : state.cancel === 'Now';
}
