import type { Dispatcher } from 'undici';
import { orAbort } from './clock.ts';
import type { Credentials } from './credentials.ts';
import { ConnectionError, KubeconfigError, KubeError, type RequestSubject } from './errors.ts';
import type { Status } from './objects.ts';
import { queryOf, type Query } from './path.ts';
import { withRetries, type RetryEnvironment, type RetryPolicy } from './retry.ts';
import type { HttpRequest, Transport } from './transport.ts';

/** A request as {@link KubeClient.request} takes it. */
export interface RequestOptions {
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** @default 'application/json' */
  readonly contentType?: string;
  /**
   * Whether the request may be sent again when it is not known if the server acted on it.
   * @default true for GET, false otherwise
   */
  readonly repeatable?: boolean;
  /** Limit of each try, in milliseconds; 0 for none. @default the client's, 30000 */
  readonly timeoutMs?: number;
  /** Ends the request at once, with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Words for errors. @default the method and the path */
  readonly subject?: RequestSubject;
}

/** What a connection is made of. */
export interface ConnectionOptions {
  readonly server: string;
  readonly transport: Transport;
  readonly credentials: Credentials;
  readonly userAgent: string;
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
  readonly environment: RetryEnvironment;
  readonly onWarning?: (warning: string) => void;
}

type Method = HttpRequest['method'];

/** JSON requests with retries, a renewed credential after a 401, and errors in plain words. */
export class Connection {
  readonly #options: ConnectionOptions;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Sends a request and reads the JSON of its answer. */
  json<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
    return this.#attempts(method, path, options, false, async (response, subject) => {
      const text = await response.body.text();
      try {
        return JSON.parse(text) as T;
      } catch {
        throw notAnApiServer(response.statusCode, text, this.#options.server, subject);
      }
    });
  }

  /** Sends a request and gives the bytes of its answer as they come, with no limit between them. */
  stream(method: Method, path: string, options: RequestOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    return this.#attempts(method, path, options, true, (response, subject) =>
      Promise.resolve(this.#chunks(response.body, subject, options.signal)),
    );
  }

  /** Ends all connections. */
  close(): Promise<void> {
    return this.#options.transport.close();
  }

  #attempts<T>(
    method: Method,
    path: string,
    options: RequestOptions,
    stream: boolean,
    read: (response: Dispatcher.ResponseData, subject: RequestSubject) => Promise<T>,
  ): Promise<T> {
    const { signal, repeatable = method === 'GET', subject = { verb: method, object: path } } = options;
    const { retry: policy, environment, timeoutMs: usual } = this.#options;
    const timeoutMs = options.timeoutMs ?? usual;
    const request: HttpRequest = {
      method,
      path: path + queryOf(options.query ?? {}),
      headers: this.#headers(options),
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      headersTimeoutMs: timeoutMs,
      bodyTimeoutMs: stream ? 0 : timeoutMs,
      stream,
      signal,
    };
    const attempt = async (): Promise<T> => {
      try {
        const response = await this.#send(request);
        this.#warn(response);
        if (response.statusCode >= 300) throw await refusal(response, subject);
        return await read(response, subject);
      } catch (error) {
        if (error instanceof KubeError || error instanceof KubeconfigError || signal?.aborted) throw error;
        throw new ConnectionError(this.#options.server, subject, error);
      }
    };
    // undici notices an abort only once it has a connection, hence the race.
    return withRetries(() => orAbort(attempt(), signal), { repeatable, policy, environment, signal });
  }

  async #send(request: HttpRequest): Promise<Dispatcher.ResponseData> {
    const { transport, credentials } = this.#options;
    const credential = await credentials.current();
    const response = await transport.send(request, credential);
    if (response.statusCode !== 401 || !credentials.refused(credential)) return response;
    const renewed = await credentials.current();
    await response.body.dump();
    return transport.send(request, renewed);
  }

  #headers({ body, contentType = 'application/json' }: RequestOptions): Record<string, string> {
    return {
      accept: 'application/json',
      'user-agent': this.#options.userAgent,
      ...(body !== undefined && { 'content-type': contentType }),
    };
  }

  /** RFC 7234: `299 - "text"`, several in a line; the API server says so what is deprecated or breaks a policy. */
  #warn(response: Dispatcher.ResponseData): void {
    const { onWarning } = this.#options;
    const header = response.headers['warning'];
    if (!onWarning || header === undefined) return;
    for (const [, text = ''] of String(header).matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)) {
      onWarning(text.replace(/\\(.)/g, '$1'));
    }
  }

  async *#chunks(
    body: AsyncIterable<Uint8Array>,
    subject: RequestSubject,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* body;
    } catch (error) {
      throw signal?.aborted ? signal.reason : new ConnectionError(this.#options.server, subject, error);
    }
  }
}

async function refusal(response: Dispatcher.ResponseData, subject: RequestSubject): Promise<KubeError> {
  const text = await response.body.text();
  const code = response.statusCode;
  const seconds = Number(response.headers['retry-after'] ?? NaN);
  return new KubeError(statusOf(text, code), subject, Number.isFinite(seconds) ? { retryAfterSeconds: seconds } : {});
}

/** A proxy before the API server answers with a page instead of a `Status`. */
function statusOf(text: string, code: number): Status {
  try {
    const answer = JSON.parse(text) as Partial<Status>;
    if (answer.kind === 'Status') return { ...answer, kind: 'Status', code: answer.code ?? code };
  } catch {
    // Not JSON: the text itself is the message.
  }
  return { kind: 'Status', status: 'Failure', code, message: text.trim().slice(0, 300) };
}

function notAnApiServer(code: number, text: string, server: string, subject: RequestSubject): KubeError {
  const message = `${server} did not answer like an API server: ${JSON.stringify(text.slice(0, 200))}`;
  return new KubeError({ kind: 'Status', status: 'Failure', code, message }, subject);
}
