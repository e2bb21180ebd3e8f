import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';
import { KubeClient } from '../../lib/kube/client.ts';
import type { ClientOptions } from '../../lib/kube/client-options.ts';
import type { KubeconfigCluster, KubeconfigUser } from '../../lib/kube/kubeconfig.ts';

/** A request as the small server saw it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: string;
  readonly socket: Socket;
}

/** Answers one request. */
export type Answer = (seen: Seen, response: ServerResponse) => void | Promise<void>;

/** A server on this machine that answers as a test says, and remembers what it was asked. */
export class ApiServer implements AsyncDisposable {
  readonly seen: Seen[] = [];
  readonly sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #clients: KubeClient[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  static async start(answer: Answer, tls?: ServerOptions): Promise<ApiServer> {
    const listener: RequestListener = (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const url = new URL(request.url ?? '/', 'http://localhost');
        const seen: Seen = {
          method: request.method ?? '',
          path: url.pathname,
          query: url.searchParams,
          headers: request.headers,
          rawHeaders: request.rawHeaders,
          body: Buffer.concat(chunks).toString(),
          socket: request.socket,
        };
        api.seen.push(seen);
        void answer(seen, response);
      });
    };
    const api = new ApiServer(tls ? createSecureServer(tls, listener) : createServer(listener));
    api.#server.listen(0, '127.0.0.1');
    await once(api.#server, 'listening');
    return api;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** A client of this server that forgets the machine's proxies. */
  async client(
    options: ClientOptions & { user?: KubeconfigUser; cluster?: Partial<KubeconfigCluster> } = {},
  ): Promise<KubeClient> {
    const { user = {}, cluster, ...rest } = options;
    const client = await KubeClient.fromContext(
      {
        name: 'test',
        clusterName: 'test',
        cluster: { server: `http://127.0.0.1:${this.port}`, ...cluster },
        userName: 'test',
        user,
      },
      rest,
    );
    this.#clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await Promise.all(this.#clients.map((client) => client.close().catch(() => undefined)));
    this.#server.close();
  }
}

/** Answers with JSON. */
export function json(
  response: ServerResponse,
  code: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Answers with a `Status`. */
export function status(
  response: ServerResponse,
  code: number,
  reason: string,
  headers: Record<string, string> = {},
  details?: object,
): void {
  json(
    response,
    code,
    { kind: 'Status', status: 'Failure', code, reason, message: `it is ${reason}`, details },
    headers,
  );
}
