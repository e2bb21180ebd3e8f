import { Agent, Pool } from 'undici';
import { readConnection, type Connection } from './kubeconfig.ts';

/** Any Kubernetes object, as it is on the wire. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly deletionTimestamp?: string;
    readonly deletionGracePeriodSeconds?: number;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
}

/** One event of a watch. */
export interface WatchEvent<T extends KubeObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: T;
}

/** The API server refused a request. */
export class ApiError extends Error {
  readonly status: number;

  constructor(request: string, status: number, body: string) {
    super(`${request}: ${status} ${body.slice(0, 1000)}`);
    this.name = 'ApiError';
    this.status = status;
  }
}

const contentTypes = {
  POST: 'application/json',
  PUT: 'application/json',
  DELETE: 'application/json',
  PATCH: 'application/strategic-merge-patch+json',
} as const;

/** Raw requests to one API server over one pool of connections, for the simulated node and for tests. */
export class Api {
  readonly #pool: Pool;
  readonly #watches: Agent;
  readonly #origin: string;
  readonly #headers: Record<string, string>;

  /** A client for the current context of a kubeconfig file. */
  static async connect(kubeconfigPath: string, connections = 32): Promise<Api> {
    return new Api(await readConnection(kubeconfigPath), connections);
  }

  constructor({ server, ca, cert, key, token }: Connection, connections = 32) {
    this.#origin = new URL(server).origin;
    const connect = { ca, cert, key };
    this.#pool = new Pool(this.#origin, { connections, connect, headersTimeout: 60_000 });
    this.#watches = new Agent({ connect, bodyTimeout: 0, headersTimeout: 30_000 });
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  async get<T>(path: string): Promise<T> {
    return this.#request<T>('GET', path);
  }

  async create<T>(path: string, body: unknown): Promise<T> {
    return this.#request<T>('POST', path, body);
  }

  async update<T>(path: string, body: unknown): Promise<T> {
    return this.#request<T>('PUT', path, body);
  }

  /** A strategic merge patch. */
  async patch<T>(path: string, body: unknown): Promise<T> {
    return this.#request<T>('PATCH', path, body);
  }

  async delete<T>(path: string, options?: unknown): Promise<T> {
    return this.#request<T>('DELETE', path, options);
  }

  /** The text of an answer that is not JSON: a log, a probe. */
  async text(path: string): Promise<string> {
    const { statusCode, body } = await this.#pool.request({ method: 'GET', path, headers: this.#headers });
    const text = await body.text();
    if (statusCode >= 300) throw new ApiError(`GET ${path}`, statusCode, text);
    return text;
  }

  /**
   * Reads one watch until it ends, by the server's will or by `signal`.
   *
   * @throws ApiError 410 when `path` asks for a version that is too old
   */
  async watch<T extends KubeObject>(
    path: string,
    onEvent: (event: WatchEvent<T>) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { statusCode, body } = await this.#watches.request({
      origin: this.#origin,
      path,
      method: 'GET',
      headers: this.#headers,
      signal,
    });
    if (statusCode >= 300) throw new ApiError(`WATCH ${path}`, statusCode, await body.text());
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of body) {
      const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const event = JSON.parse(line) as
          WatchEvent<T> | { type: 'BOOKMARK' } | { type: 'ERROR'; object: { code: number } };
        if (event.type === 'ERROR') throw new ApiError(`WATCH ${path}`, event.object.code, line);
        if (event.type !== 'BOOKMARK') onEvent(event);
      }
    }
  }

  /** Closes all connections; what is under way fails. */
  async close(): Promise<void> {
    await Promise.all([this.#pool.destroy(), this.#watches.destroy()]);
  }

  async #request<T>(method: 'GET' | keyof typeof contentTypes, path: string, body?: unknown): Promise<T> {
    const headers = { ...this.#headers, accept: 'application/json' } as Record<string, string>;
    if (method !== 'GET') headers['content-type'] = contentTypes[method];
    const answer = await this.#pool.request({
      method,
      path,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new ApiError(`${method} ${path}`, answer.statusCode, text);
    return JSON.parse(text) as T;
  }
}
