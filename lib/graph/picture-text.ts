import type { StepNode } from './graph.ts';

/** Whether a step is drawn as one that does not always run. */
export function mayBeSkipped({ when, depends, role }: StepNode): boolean {
  return when !== undefined || depends !== undefined || role === 'onFailure';
}

/** What a picture says of when a step runs, a line each; edges say the rest. */
export function conditionsOf({ when, role }: StepNode): string[] {
  return [
    ...(role === 'finally' ? ['finally'] : role === 'onFailure' ? ['if the run fails'] : []),
    ...(when === undefined ? [] : [`when ${when.cel}`]),
  ];
}
