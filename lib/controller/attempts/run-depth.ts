import { recursionProblem } from '../../graph/run-rules.ts';
import { annotations } from '../../graph/labels.ts';
import type { Job } from '../objects.ts';

/** Thrown when too many runs would be one in the other. */
export class RecursionError extends Error {
  override readonly name = 'RecursionError';

  constructor(within: readonly string[], maxDepth: number) {
    super(recursionProblem(within, maxDepth));
  }
}

/** The names of the runs that a run is within, the outermost first. What cannot be read is as if it were not there. */
export function runsWithin({ metadata }: Job): readonly string[] {
  try {
    const names: unknown = JSON.parse(metadata.annotations?.[annotations.within] ?? '[]');
    return Array.isArray(names) ? names.map(String) : [];
  } catch {
    return [];
  }
}
