import {
  isAlreadyExists,
  isForbidden,
  isInvalid,
  isNotFound,
  isRetryable,
  isUnauthorized,
  KubeError,
} from '../../kube/errors.ts';
import type { StepReason } from '../../engine/reasons.ts';
import { formatProblem, InvalidError } from '../../values/problems.ts';
import { shorten } from '../objects.ts';
import { RecursionError } from './run-depth.ts';

/** What a failed creation of an attempt means. */
export type CreateVerdict =
  /** An object of that name is there already: ours, or somebody else's. */
  | { readonly kind: 'exists' }
  /** It may succeed later, unchanged; `message` says what it waits for, `refused` that the API server said no, and not why there was no answer. */
  | { readonly kind: 'wait'; readonly message: string; readonly refused?: true }
  /** Something it needs is not there, or not there yet. */
  | { readonly kind: 'missing'; readonly message: string }
  /** No other try could succeed. */
  | { readonly kind: 'rejected'; readonly reason: StepReason; readonly message: string };

/** What to make of the error that came when an attempt's template was read or its object created. */
export function createVerdict(error: unknown): CreateVerdict {
  if (isAlreadyExists(error)) return { kind: 'exists' };
  if (error instanceof RecursionError) return { kind: 'rejected', reason: 'RecursionLimit', message: error.message };
  if (error instanceof InvalidError) return { kind: 'rejected', reason: 'Rejected', message: inOneLine(error) };
  if (!(error instanceof KubeError)) return { kind: 'wait', message: (error as Error).message };
  const said = shorten(error.status.message ?? error.message, 900);
  if (isForbidden(error)) return forbidden(error, said);
  // The credentials for another cluster have run out.
  if (isUnauthorized(error)) return { kind: 'wait', message: said };
  if (isNotFound(error)) return { kind: 'missing', message: said };
  // A webhook may deny with any code of the 400s. (apiserver/pkg/admission/plugin/webhook/errors: ToStatusErr)
  if (isInvalid(error) || / denied the request/.test(said))
    return { kind: 'rejected', reason: 'Rejected', message: said };
  if (isRetryable(error)) return { kind: 'wait', message: said };
  return { kind: 'rejected', reason: 'Rejected', message: said };
}

/** A step shows its message in a row of a table. */
function inOneLine({ message, problems }: InvalidError): string {
  return shorten(`${message.split(':\n')[0]}: ${problems.map(formatProblem).join('; ')}`, 900);
}

function forbidden(error: KubeError, message: string): CreateVerdict {
  // apiserver/pkg/admission/plugin/resourcequota; the quota may be free again in a moment.
  if (/exceeded quota/.test(message)) return { kind: 'wait', message, refused: true };
  // The controller's own rights, which its administrator has to mend: no fault of the run.
  if (/ cannot (create|get) resource /.test(message)) return { kind: 'wait', message, refused: true };
  if (error.causes.some(({ reason }) => reason === 'NamespaceTerminating'))
    return { kind: 'wait', message, refused: true };
  // plugin/pkg/admission/serviceaccount: the account may be applied after the run.
  if (/error looking up service account/.test(message)) return { kind: 'missing', message };
  return { kind: 'rejected', reason: 'Rejected', message };
}
