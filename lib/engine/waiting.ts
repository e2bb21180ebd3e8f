import type { RunSpec } from './advance.ts';
import type { StepReason } from './reasons.ts';

/** Why a step that could start does not. */
export function waitingReason(spec: RunSpec): StepReason {
  return spec.suspended === true ? 'Suspended' : 'ParallelismLimit';
}
