import { ConnectionError, isConflict, isInvalid, isNotFound, KubeconfigError, KubeError } from '../kube/errors.ts';
import { WorkflowsError, type WorkflowsErrorReason } from '../runs/errors.ts';
import { InvalidError, type Problem } from '../values/problems.ts';

/**
 * Does something, whose errors become those of the client. What was aborted rejects with the reason of its signal.
 *
 * @throws WorkflowsError
 */
export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translate(error);
  }
}

/** An error as the client throws it; one that nobody foresaw stays what it is. */
export function translate(error: unknown): unknown {
  if (error instanceof InvalidError)
    return new WorkflowsError('Invalid', error.message, { cause: error, problems: error.problems });
  if (error instanceof KubeconfigError) return new WorkflowsError('Invalid', error.message, { cause: error });
  if (error instanceof ConnectionError) return new WorkflowsError('Unreachable', error.message, { cause: error });
  if (error instanceof KubeError)
    return new WorkflowsError(reasonOf(error), error.message, { cause: error, problems: problemsOf(error) });
  return error;
}

function reasonOf(error: KubeError): WorkflowsErrorReason {
  if (isNotFound(error)) return 'NotFound';
  if (isConflict(error)) return 'Conflict';
  return isInvalid(error) ? 'Invalid' : 'Refused';
}

/** One for each wrong field, where the API server names them. */
function problemsOf({ causes, message }: KubeError): readonly Problem[] {
  if (causes.length === 0) return [{ path: '', message }];
  return causes.map((cause) => ({ path: cause.field ?? '', message: cause.message ?? cause.reason ?? message }));
}
