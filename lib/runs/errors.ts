import type { Problem } from '../values/problems.ts';

/**
 * Why nothing came of what was asked of plans and runs. `Invalid`: it was wrong, and nothing was done. `NotFound`: there is no such plan,
 * run, workflow or version. `Conflict`: something else has the name, or somebody else changed it meanwhile. `Failed`: the run did not
 * succeed. `Deleted`: the run was deleted. `Timeout`: it took longer than it might. `Refused`: the API server said no. `Unreachable`: it did
 * not answer.
 */
export type WorkflowsErrorReason =
  'Conflict' | 'Deleted' | 'Failed' | 'Invalid' | 'NotFound' | 'Refused' | 'Timeout' | 'Unreachable';

/** Thrown when what was asked of plans and runs cannot be done. Its message is one line and a line for each problem. */
export class WorkflowsError extends Error {
  override readonly name = 'WorkflowsError';
  readonly reason: WorkflowsErrorReason;
  /** Everything that is wrong, each with its path, such as `inputs.site`; at least one. */
  declare readonly problems: readonly Problem[];

  constructor(
    reason: WorkflowsErrorReason,
    message: string,
    options: ErrorOptions & { readonly problems?: readonly Problem[] } = {},
  ) {
    super(message, options);
    this.reason = reason;
    // The message has them already: Node would print them once more beside it.
    Object.defineProperty(this, 'problems', { value: options.problems ?? [{ path: '', message }] });
  }
}
