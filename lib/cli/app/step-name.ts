import { show } from '../../values/problems.ts';
import { UsageError } from '../errors.ts';

/** A step of a workflow as a command line names it. */
export interface StepName {
  readonly workflow: string;
  readonly step: string;
}

/**
 * Reads `<workflow>/<step>`.
 *
 * @throws UsageError when it is not of that form
 */
export function parseStepName(text: string): StepName {
  const [workflow, step, more] = text.split('/');
  if (!workflow || !step || more !== undefined)
    throw new UsageError(`${show(text)} names no step; give <workflow>/<step>`);
  return { workflow, step };
}
