import { once } from 'node:events';
import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Started } from '../../runs/start-run.ts';
import type { Logger } from '../log.ts';
import { planPath, type PlanPath } from './launch-request.ts';
import { PROBLEM_TYPE, problemDetails, Refusal } from './problem-answer.ts';
import type { ServerCertificate } from './server-certificate.ts';
import type { Trigger } from './trigger.ts';

/** How a trigger is reached. */
export interface TriggerServerOptions {
  readonly trigger: Trigger;
  /** 0 takes a free one. */
  readonly port: number;
  /** @default plain HTTP */
  readonly certificate?: ServerCertificate;
  readonly log: Logger;
  /** Called with the status of every answer. */
  readonly onAnswer: (status: number) => void;
}

/** The largest body, in bytes: the annotations of an object hold 256 KiB, and the inputs are one of them. (apimachinery: TotalAnnotationSizeLimitB) */
const MAX_BODY = 128 * 1024;

/** Requests under way; of more, the answer is to come back later. */
const MAX_OPEN = 100;

/** From its first byte to its last, a request may take so long, in milliseconds. */
const REQUEST_MS = 10_000;

/** From its last byte to the answer. */
const ANSWER_MS = 15_000;

/** What is said of requests that Node gives up before they are read, by its code. */
const UNREAD: Readonly<Record<string, Refusal>> = {
  ERR_HTTP_REQUEST_TIMEOUT: new Refusal(408, `the request took longer than ${REQUEST_MS / 1000} seconds to arrive`),
  HPE_HEADER_OVERFLOW: new Refusal(431, 'the headers are too large'),
};

/** How long requests under way may take when the process ends. */
const CLOSE_MS = 5_000;

/** Serves a {@link Trigger} by HTTP, or HTTPS. */
export class TriggerServer implements AsyncDisposable {
  readonly #options: TriggerServerOptions;
  readonly #server: Server | SecureServer;
  /** On which an answer was begun: another one would be read as part of it. */
  readonly #answered = new WeakSet<Socket>();
  #open = 0;

  private constructor(options: TriggerServerOptions) {
    this.#options = options;
    const limits = { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, connectionsCheckingInterval: 1_000 };
    const listener = (request: IncomingMessage, response: ServerResponse) => void this.#handle(request, response);
    this.#server = options.certificate
      ? createSecureServer({ ...limits, ...options.certificate.current }, listener)
      : createServer(limits, listener);
    this.#server.on('clientError', (error, socket) => this.#refuseUnread(error, socket as Socket));
  }

  /** @throws Error when the port is taken, or the certificate is none */
  static async start(options: TriggerServerOptions): Promise<TriggerServer> {
    const server = new TriggerServer(options);
    server.#server.listen(options.port);
    await once(server.#server, 'listening');
    options.certificate?.onChange((pair) => (server.#server as SecureServer).setSecureContext(pair));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes no more requests, and ends when those under way have their answers. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeIdleConnections();
    const late = setTimeout(() => this.#server.closeAllConnections(), CLOSE_MS);
    await closed;
    clearTimeout(late);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#open += 1;
    try {
      const path = planPath(request.method, request.url ?? '');
      const started = await this.#launch(path, request, response);
      this.#answer(response, started.created ? 201 : 200, 'application/json', runOf(path, started));
    } catch (error) {
      this.#refuse(request, response, error);
    } finally {
      this.#open -= 1;
    }
  }

  async #launch(path: PlanPath, request: IncomingMessage, response: ServerResponse): Promise<Started> {
    if (this.#open > MAX_OPEN)
      throw new Refusal(503, 'there are too many requests under way', { headers: { 'retry-after': '1' } });
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY) throw tooLarge();
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(REQUEST_MS + ANSWER_MS)]);
    return this.#options.trigger.launch({ ...path, headers: request.headers, body: () => bodyOf(request), signal });
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const { log } = this.#options;
    if (response.closed || response.destroyed) return log.debug('A caller went away', { url: request.url });
    const refusal =
      error instanceof Refusal
        ? error
        : new Refusal(500, 'this should not happen, and is in the log', { cause: error });
    const { status, message, cause } = refusal;
    const fields = { status, detail: message, url: request.url };
    if (status >= 500) log.error('A launch failed', { ...fields, ...(cause !== undefined && { error: cause }) });
    else log.info('A launch was refused', fields);
    this.#answer(response, status, PROBLEM_TYPE, problemDetails(refusal), refusal.headers);
  }

  /** Of what Node's parser does not read as a request, or not in time. (nodejs.org/api/http.html: Event 'clientError') */
  #refuseUnread({ code }: NodeJS.ErrnoException, socket: Socket): void {
    if (!socket.writable || this.#answered.has(socket)) return void socket.destroy();
    const refusal = UNREAD[code ?? ''] ?? new Refusal(400, 'this is no HTTP request');
    this.#options.onAnswer(refusal.status);
    this.#answered.add(socket);
    const body = `${JSON.stringify(problemDetails(refusal))}\n`;
    socket.end(
      [
        `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
        `Content-Type: ${PROBLEM_TYPE}`,
        `Content-Length: ${Buffer.byteLength(body)}`,
        'Cache-Control: no-store',
        'Connection: close',
        '',
        body,
      ].join('\r\n'),
    );
  }

  #answer(response: ServerResponse, status: number, type: string, body: object, headers = {}): void {
    this.#options.onAnswer(status);
    if (response.socket) this.#answered.add(response.socket);
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', ...headers });
    response.end(`${JSON.stringify(body)}\n`);
  }
}

function runOf({ plan }: PlanPath, { job, created }: Started): object {
  const { name, namespace } = job.metadata;
  return { run: name, namespace, plan, created };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Whoever sends too much is told so, and not cut off: the rest is read by nobody.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(): Refusal {
  return new Refusal(413, `the body is larger than ${MAX_BODY / 1024} KiB`);
}
