import { ConnectionError, KubeconfigError, KubeError } from '../../kube/errors.ts';
import type { ApplyFailure } from './apply-result.ts';
import { HAND_MANAGER } from './field-managers.ts';

/** An error of the API server or of the way there, as what went wrong and what to do. Other errors are thrown on. */
export function applyFailure(error: unknown): ApplyFailure {
  if (error instanceof ConnectionError || error instanceof KubeconfigError) return { message: error.message };
  if (!(error instanceof KubeError)) throw error;
  if (error.code === 401) {
    return {
      message: 'the credentials of the context are not accepted',
      fix: 'log in again, or choose another context',
    };
  }
  if (error.code === 409) return conflictFailure(error);
  const said = error.status.message ?? error.message;
  if (error.code === 403) return { message: said, fix: forbiddenFix(said) };
  const missing = /^namespaces "([^"]+)" not found$/.exec(said)?.[1];
  if (missing !== undefined) {
    return { message: `the namespace ${missing} does not exist`, fix: `kubectl create namespace ${missing}` };
  }
  if (error.code === 422) return invalidFailure(error);
  // A field that does not exist is reported with 500 by server-side apply and with 400 by strict decoding.
  const typed = /^failed to create typed patch object \([^)]*\): (.*)$/s.exec(said)?.[1];
  if (typed !== undefined || error.code === 400) return { message: typed ?? said, fix: 'correct the manifest' };
  return { message: said };
}

/** `conflict with "kubectl-edit" using batch/v1`, or `conflicts with "a" with subresource "status"`. */
const managerOf = /^conflict with "([^"]*)"/;

/** A conflict of server-side apply: who owns which of the fields that we would change. */
function conflictFailure(error: KubeError): ApplyFailure {
  const owned = Map.groupBy(
    error.causes.filter(({ reason }) => reason === 'FieldManagerConflict'),
    ({ message = '' }) => managerOf.exec(message)?.[1] ?? 'somebody else',
  );
  if (owned.size === 0) return { message: error.status.message ?? error.message, fix: 'apply again' };
  const managers = [...owned].map(
    ([manager, causes]) =>
      `${causes.map(({ field }) => field).join(', ')} ${causes.length > 1 ? 'are' : 'is'} set by "${manager}"`,
  );
  const others = [...owned.keys()].filter((manager) => manager !== HAND_MANAGER);
  const fixes = [
    ...(owned.has(HAND_MANAGER) ? ['undo what was done by hand (activate, deactivate or failback)'] : []),
    ...(others.length > 0 ? [`leave ${count(causesOf(others, owned), 'field')} to "${others.join('", "')}"`] : []),
    'take over with --force-conflicts',
  ];
  return { message: managers.join('; '), fix: fixes.join(', or ') };
}

function causesOf(managers: readonly string[], owned: ReadonlyMap<string, readonly unknown[]>): number {
  return managers.reduce((sum, manager) => sum + (owned.get(manager)?.length ?? 0), 0);
}

function count(number: number, noun: string): string {
  return number === 1 ? `this ${noun}` : `these ${noun}s`;
}

function invalidFailure({ causes, status, message }: KubeError): ApplyFailure {
  const fields = causes.map(({ field, message: said }) => `${field ?? ''}: ${said ?? 'is not valid'}`);
  const immutable = causes.some(({ message: said = '' }) => said.includes('immutable'));
  return {
    message: fields.length > 0 ? fields.join('; ') : (status.message ?? message),
    fix: immutable ? 'give it another name, or delete the old object first' : 'correct the manifest',
  };
}

function forbiddenFix(said: string): string | undefined {
  const denied = /User "([^"]+)" cannot (\w+) resource "([^"]+)"/.exec(said);
  if (denied) return `ask for a role that lets ${denied[1]} ${denied[2]} ${denied[3]}`;
  if (said.includes('exceeded quota')) return 'free some of the quota, or ask for more';
  if (said.includes('is being terminated')) return 'wait until the namespace is gone, then create it again';
  return undefined;
}
