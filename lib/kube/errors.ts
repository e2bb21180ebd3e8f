import type { Status, StatusCause } from './objects.ts';

/** What was asked for, in words for a message: "get", `pod default/web`. */
export interface RequestSubject {
  readonly verb: string;
  readonly object: string;
}

/** Thrown when the API server answered, and the answer was a refusal. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  /** HTTP status code. */
  readonly code: number;
  /** The `Status` word such as `NotFound`; empty when something before the API server answered. */
  readonly reason: string;
  readonly status: Status;
  /** What is wrong with the object, mostly one entry a field. */
  readonly causes: readonly StatusCause[];
  /** Seconds the server asks to wait before the next try. */
  readonly retryAfterSeconds: number | undefined;
  readonly subject: RequestSubject;

  constructor(status: Status, subject: RequestSubject, options: { readonly retryAfterSeconds?: number } = {}) {
    const code = status.code ?? 0;
    const said = status.message || status.reason || `HTTP status ${code}`;
    super(`Cannot ${subject.verb} ${subject.object}: ${said} (${[status.reason, code].filter(Boolean).join(', ')})`, {
      cause: status,
    });
    this.code = code;
    this.reason = status.reason ?? '';
    this.status = status;
    this.causes = status.details?.causes ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds ?? status.details?.retryAfterSeconds;
    this.subject = subject;
  }
}

/** Why there was no answer. `untrusted`: TLS refused one of the two sides. */
export type ConnectionProblem = 'refused' | 'unknown-host' | 'unreachable' | 'timeout' | 'broken' | 'untrusted';

/** Thrown when no answer came from the API server, or half of one. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly server: string;
  readonly problem: ConnectionProblem;
  /** False when the request certainly never left this machine; true when the server may have acted on it. */
  readonly maybeSent: boolean;
  readonly subject: RequestSubject;

  constructor(server: string, subject: RequestSubject, cause: unknown) {
    const { problem, maybeSent } = problemOf(cause);
    const detail = cause instanceof Error && cause.message ? ` [${cause.message}]` : '';
    super(`Cannot ${subject.verb} ${subject.object}: no answer from ${server}. ${advice[problem]}${detail}`, { cause });
    this.server = server;
    this.problem = problem;
    this.maybeSent = maybeSent;
    this.subject = subject;
  }
}

/** Thrown when the kubeconfig, or the program it names for credentials, does not give a usable connection. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

const advice: Record<ConnectionProblem, string> = {
  refused: 'Nothing listens there: check that the API server runs and that the port is right.',
  'unknown-host': 'Its host name is not known: check the server of the context, and DNS or the VPN.',
  unreachable: 'There is no route to it: check the network or the VPN.',
  timeout: 'It took too long: check the network, the VPN and whether the API server is overloaded.',
  broken: 'The connection broke: the API server or a proxy before it may be restarting.',
  untrusted: "TLS failed: check the context's certificate-authority, tls-server-name and client certificate.",
};

const problems: Readonly<Record<string, { problem: ConnectionProblem; maybeSent: boolean }>> = {
  ECONNREFUSED: { problem: 'refused', maybeSent: false },
  ENOTFOUND: { problem: 'unknown-host', maybeSent: false },
  EAI_AGAIN: { problem: 'unknown-host', maybeSent: false },
  EHOSTUNREACH: { problem: 'unreachable', maybeSent: false },
  ENETUNREACH: { problem: 'unreachable', maybeSent: false },
  EHOSTDOWN: { problem: 'unreachable', maybeSent: false },
  UND_ERR_CONNECT_TIMEOUT: { problem: 'timeout', maybeSent: false },
  UND_ERR_HEADERS_TIMEOUT: { problem: 'timeout', maybeSent: true },
  UND_ERR_BODY_TIMEOUT: { problem: 'timeout', maybeSent: true },
  ETIMEDOUT: { problem: 'timeout', maybeSent: true },
};

/** Node names errors of OpenSSL's verification by their X509_V_ERR constants, without that prefix. */
const untrusted =
  /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)/;

function problemOf(cause: unknown): { problem: ConnectionProblem; maybeSent: boolean } {
  for (const code of codesOf(cause)) {
    const known = problems[code];
    if (known) return known;
    if (untrusted.test(code)) return { problem: 'untrusted', maybeSent: false };
  }
  return { problem: 'broken', maybeSent: true };
}

/** A connection tried to several addresses fails with an AggregateError, whose members have the codes. */
function codesOf(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  const own = typeof code === 'string' ? [code] : [];
  return [...own, ...(Array.isArray(errors) ? errors.flatMap(codesOf) : []), ...codesOf(cause)];
}

function has(error: unknown, code: number, reason?: string): error is KubeError {
  return error instanceof KubeError && error.code === code && (reason === undefined || error.reason === reason);
}

/** The object does not exist. An unknown kind or a wrong address also gives 404, but without this reason. */
export function isNotFound(error: unknown): error is KubeError {
  return has(error, 404, 'NotFound');
}

/** An object of that name exists, as the answer to a create. */
export function isAlreadyExists(error: unknown): error is KubeError {
  return has(error, 409, 'AlreadyExists');
}

/** The object changed since it was read, or another field manager owns the field: read again. */
export function isConflict(error: unknown): error is KubeError {
  return has(error, 409) && error.reason !== 'AlreadyExists';
}

/** The resource version or page token is too old: list again. */
export function isGone(error: unknown): error is KubeError {
  return has(error, 410) || (error instanceof KubeError && error.reason === 'Expired');
}

/** The resource version is newer than the server's data, as after a restore of etcd: list again. */
export function isVersionTooLarge(error: unknown): error is KubeError {
  return error instanceof KubeError && error.causes.some(({ reason }) => reason === 'ResourceVersionTooLarge');
}

/** The credentials were accepted, but this is not allowed to them (or admission said no). */
export function isForbidden(error: unknown): error is KubeError {
  return has(error, 403);
}

/** The credentials were not accepted. */
export function isUnauthorized(error: unknown): error is KubeError {
  return has(error, 401);
}

/** The object is not valid: `causes` names the fields. */
export function isInvalid(error: unknown): error is KubeError {
  return has(error, 422) || has(error, 400);
}

/** The same request may succeed later, unchanged: no answer, overload, or an error within the server. */
export function isRetryable(error: unknown): error is KubeError | ConnectionError {
  if (error instanceof ConnectionError) return error.problem !== 'untrusted';
  return error instanceof KubeError && (error.code === 429 || error.code >= 500);
}
