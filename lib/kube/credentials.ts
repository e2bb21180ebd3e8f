import { systemClock, type Clock } from './clock.ts';
import { KubeconfigError } from './errors.ts';
import { runExecPlugin, type ExecCredentialStatus } from './exec-credential.ts';
import type { KubeContext } from './context.ts';
import { systemSources, type KubeconfigSources, type KubeconfigUser } from './kubeconfig.ts';

/** Header lines by lower-case name; several values give several lines. */
export type Headers = Readonly<Record<string, string | string[]>>;

/** What proves who we are: headers, and a client certificate for the TLS handshake. */
export interface Credential {
  readonly headers: Headers;
  /** PEM. */
  readonly cert?: string;
  /** PEM. */
  readonly key?: string;
}

/** What {@link Credentials} uses of the machine; a test gives its own. */
export interface CredentialEnvironment {
  readonly clock?: Clock;
  readonly sources?: KubeconfigSources;
  /** Whether a credential program may ask the user. @default standard input is a terminal */
  readonly interactive?: boolean;
}

interface Fetched {
  readonly credential: Credential;
  /** Milliseconds since the epoch until which it is used without asking again. */
  readonly until: number;
}

/** How long the content of a token or certificate file is used, in milliseconds: client-go's (transport/token_source.go). */
const filePeriodMs = 60_000;

/** A credential is renewed this long before it ends, in milliseconds, so that none ends on the way. */
const leewayMs = 10_000;

/**
 * The credentials of a context, kept until they end: a credential program runs once, not once a request, and a file
 * that the kubelet renews is read again every minute.
 */
export class Credentials {
  readonly #fetch: () => Promise<Fetched>;
  readonly #clock: Clock;
  readonly #renewable: boolean;
  #cached: Fetched | undefined;
  #pending: Promise<Credential> | undefined;

  constructor(context: KubeContext, environment: CredentialEnvironment = {}) {
    const { user } = context;
    this.#clock = environment.clock ?? systemClock;
    this.#renewable = Boolean(user.exec || user.tokenFile || user['client-certificate'] || user['auth-provider']);
    this.#fetch = fetcherOf(context, this.#clock, environment);
  }

  /** The credential to use now. */
  current(): Promise<Credential> {
    if (this.#cached && this.#clock.now() < this.#cached.until) return Promise.resolve(this.#cached.credential);
    this.#pending ??= this.#fetch()
      .then((fetched) => {
        this.#cached = fetched;
        return fetched.credential;
      })
      .finally(() => (this.#pending = undefined));
    return this.#pending;
  }

  /** To be called when the server refused a credential. Answers whether {@link current} may now give a better one. */
  refused(used: Credential): boolean {
    if (this.#cached?.credential === used) this.#cached = undefined;
    return this.#renewable;
  }
}

function fetcherOf(context: KubeContext, clock: Clock, environment: CredentialEnvironment): () => Promise<Fetched> {
  const { user, cluster } = context;
  const { sources = systemSources, interactive = process.stdin.isTTY === true } = environment;
  const impersonation = impersonationOf(user);
  if (user.exec) {
    const exec = user.exec;
    return async () => fromExec(await runExecPlugin(exec, cluster, { env: sources.env, interactive }), impersonation);
  }
  if (user['auth-provider']) return () => fromAuthProvider(context, impersonation, clock);
  return () => fromUser(user, impersonation, sources, clock);
}

function fromExec(status: ExecCredentialStatus, impersonation: Headers): Fetched {
  const end = status.expirationTimestamp ? Date.parse(status.expirationTimestamp) - leewayMs : Infinity;
  return {
    credential: {
      headers: { ...impersonation, ...(status.token && { authorization: `Bearer ${status.token}` }) },
      ...(status.clientCertificateData && { cert: status.clientCertificateData, key: status.clientKeyData }),
    },
    until: Number.isNaN(end) ? Infinity : end,
  };
}

async function fromUser(
  user: KubeconfigUser,
  impersonation: Headers,
  { readFile }: KubeconfigSources,
  clock: Clock,
): Promise<Fetched> {
  const text = async (path: string | undefined, data: string | undefined): Promise<string | undefined> => {
    // Like client-go, the data wins over the file (clientcmd/client_config.go, rest.TLSClientConfig).
    if (data) return Buffer.from(data, 'base64').toString();
    if (!path) return undefined;
    const content = await readFile(path);
    if (content === undefined) throw new KubeconfigError(`The kubeconfig names ${path}, which is not there`);
    return content;
  };
  const token = (user.tokenFile ? await text(user.tokenFile, undefined) : user.token)?.trim();
  const cert = await text(user['client-certificate'], user['client-certificate-data']);
  const key = await text(user['client-key'], user['client-key-data']);
  return {
    credential: {
      headers: { ...impersonation, ...authorization(token, user) },
      ...(cert && { cert }),
      ...(key && { key }),
    },
    until: user.tokenFile || user['client-certificate'] ? clock.now() + filePeriodMs : Infinity,
  };
}

function authorization(token: string | undefined, user: KubeconfigUser): Record<string, string> {
  if (token) return { authorization: `Bearer ${token}` };
  if (!user.username) return {};
  return { authorization: `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}` };
}

function impersonationOf(user: KubeconfigUser): Headers {
  const groups = user['as-groups'] ?? [];
  const extra = Object.entries(user['as-user-extra'] ?? {}).map(
    ([name, values]) => [`impersonate-extra-${encodeURIComponent(name.toLowerCase())}`, [...values]] as const,
  );
  return {
    ...(user.as && { 'impersonate-user': user.as }),
    ...(user['as-uid'] && { 'impersonate-uid': user['as-uid'] }),
    ...(groups.length > 0 && { 'impersonate-group': [...groups] }),
    ...Object.fromEntries(extra),
  };
}

/** `auth-provider` (oidc; gcp and azure of old) is left to client-node, and its 280 ms to those who use it. */
async function fromAuthProvider(
  { cluster, user }: KubeContext,
  impersonation: Headers,
  clock: Clock,
): Promise<Fetched> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  const provider = user['auth-provider'];
  config.loadFromClusterAndUser(
    { name: 'cluster', server: cluster.server, skipTLSVerify: true },
    { name: 'user', authProvider: provider },
  );
  const options: { headers?: Record<string, string> } = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    throw new KubeconfigError(`The auth-provider ${provider?.name} gave no credentials`, { cause });
  }
  const header = options.headers?.['Authorization'];
  if (!header) throw new KubeconfigError(`The auth-provider ${provider?.name} gave no token: log in again`);
  return { credential: { headers: { ...impersonation, authorization: header } }, until: clock.now() + filePeriodMs };
}
