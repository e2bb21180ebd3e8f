import { annotations } from '../graph/labels.ts';
import type { PlanCronJob } from './run-objects.ts';

/** The inputs of a plan that a launch cannot change; none when anybody broke the annotation. */
export function fixedInputs({ metadata }: PlanCronJob): string[] {
  try {
    const names: unknown = JSON.parse(metadata.annotations?.[annotations.fixedInputs] ?? '[]');
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
  } catch {
    return [];
  }
}
