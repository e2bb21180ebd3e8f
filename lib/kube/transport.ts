import type * as Undici from 'undici';
import type { Credential } from './credentials.ts';
import { proxyFor } from './proxy.ts';

/** One HTTP exchange. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  /** With its query string, without the prefix that the server's address may have. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds until the answer begins, and between its parts; 0 for no limit. */
  readonly headersTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  /** The answer is long: it must not keep one of the connections that requests wait for. */
  readonly stream: boolean;
  readonly signal?: AbortSignal;
}

/** How to reach a server. */
export interface TransportOptions {
  readonly server: URL;
  /** PEM. @default the certificate authorities Node trusts */
  readonly ca?: string;
  readonly tlsServerName?: string;
  /** @default false */
  readonly skipTlsVerify?: boolean;
  /** Kubeconfig's `proxy-url`. @default the environment's proxy */
  readonly proxyUrl?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Connections for requests; streams have their own, without limit. @default 32 */
  readonly connections?: number;
  /** @default 10000 */
  readonly connectTimeoutMs?: number;
}

interface Pools {
  readonly credential: Pick<Credential, 'cert' | 'key'>;
  readonly requests: Undici.Dispatcher;
  readonly streams: Undici.Dispatcher;
}

/**
 * The connections to one API server: a pool for requests, and another for streams, so that a hundred watches
 * never stand before a request. HTTP/1.1 with one request at a time on a connection: over HTTP/2 an answer that is
 * read slowly holds up the others of its connection.
 */
export class Transport {
  readonly #options: TransportOptions;
  readonly #undici: typeof Undici;
  readonly #prefix: string;
  #pools: Pools | undefined;

  private constructor(options: TransportOptions, undici: typeof Undici) {
    this.#options = options;
    this.#undici = undici;
    this.#prefix = options.server.pathname.replace(/\/+$/, '');
  }

  /** Loads undici, which takes 60 ms, only when somebody wants to talk to a server. */
  static async open(options: TransportOptions): Promise<Transport> {
    return new Transport(options, await import('undici'));
  }

  /** Sends a request. Rejects when no answer came; a refusal is an answer. */
  send(request: HttpRequest, credential: Credential): Promise<Undici.Dispatcher.ResponseData> {
    const pools = this.#poolsFor(credential);
    return (request.stream ? pools.streams : pools.requests).request({
      origin: this.#options.server.origin,
      path: this.#prefix + request.path,
      method: request.method,
      headers: { ...request.headers, ...credential.headers },
      body: request.body,
      signal: request.signal,
      headersTimeout: request.headersTimeoutMs,
      bodyTimeout: request.bodyTimeoutMs,
    });
  }

  /** Waits for the requests under way and breaks the streams. */
  async close(): Promise<void> {
    const pools = this.#pools;
    this.#pools = undefined;
    await Promise.all([pools?.requests.close(), pools?.streams.destroy()]);
  }

  /** A client certificate belongs to a connection, so a new one needs new connections. */
  #poolsFor({ cert, key }: Credential): Pools {
    const old = this.#pools;
    if (old && old.credential.cert === cert && old.credential.key === key) return old;
    this.#pools = {
      credential: { cert, key },
      requests: this.#dispatcher({ cert, key }, this.#options.connections ?? 32),
      streams: this.#dispatcher({ cert, key }, null),
    };
    void old?.requests.close();
    void old?.streams.close();
    return this.#pools;
  }

  #dispatcher(client: Pick<Credential, 'cert' | 'key'>, connections: number | null): Undici.Dispatcher {
    const { server, ca, tlsServerName, skipTlsVerify, connectTimeoutMs = 10_000, proxyUrl, env } = this.#options;
    const tls = {
      ...client,
      ...(ca && { ca }),
      ...(tlsServerName && { servername: tlsServerName }),
      rejectUnauthorized: !skipTlsVerify,
      timeout: connectTimeoutMs,
      // As client-go does; cloud load balancers forget a silent connection after 60 s.
      keepAliveInitialDelay: 30_000,
    };
    const common = { connections, pipelining: 1, allowH2: false, keepAliveTimeout: 30_000 };
    const proxy = proxyFor(server, proxyUrl, env);
    return proxy
      ? new this.#undici.ProxyAgent({ uri: proxy, requestTls: tls, connectTimeout: connectTimeoutMs, ...common })
      : new this.#undici.Pool(server.origin, { ...common, connect: tls });
  }
}
