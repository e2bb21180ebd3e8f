import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { parse, stringify } from 'yaml';
import type { ControlPlane } from '../cluster/control-plane.ts';

/**
 * What becomes of a request. `reset`: the connection breaks before it gets there. `lost`: it is done, and the answer does not come
 * back. `slow`: it waits. A number is the answer in place of that of the API server.
 */
export type Fault = 'none' | 'reset' | 'lost' | 'slow' | 429 | 500;

/** What the proxy does about the requests of one trial. */
export interface ProxyRules {
  /** Of the request of that number, from 1. @default none */
  readonly fault?: (number: number) => Fault;
  /** Called when the API server has answered a request, and before the client hears of it. */
  readonly onAnswered?: (number: number) => void;
}

const SLOW_MS = 300;

/** Stands between a client and an API server, counts the requests and spoils them. */
export class FaultProxy implements AsyncDisposable {
  readonly kubeconfig: string;
  /** Requests since the last {@link begin}. */
  requests = 0;
  readonly #server: Server;
  #rules: ProxyRules = {};

  private constructor(kubeconfig: string, server: Server) {
    this.kubeconfig = kubeconfig;
    this.#server = server;
  }

  /** Listens, and writes a kubeconfig that leads through it: without TLS, which needs `--allow-insecure`. */
  static async start(cluster: ControlPlane, kubeconfig: string): Promise<FaultProxy> {
    const ca = await readFile(cluster.caFile);
    const server = createServer();
    const proxy = new FaultProxy(kubeconfig, server);
    server.on(
      'request',
      (from: IncomingMessage, to: ServerResponse) => void proxy.#handle(from, to, cluster.server, ca),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const config = parse(await readFile(cluster.kubeconfigPath, 'utf8')) as { clusters: { cluster: object }[] };
    config.clusters[0]!.cluster = { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
    await writeFile(kubeconfig, stringify(config));
    return proxy;
  }

  /** Counts from one again, by other rules. */
  begin(rules: ProxyRules): void {
    this.requests = 0;
    this.#rules = rules;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(from: IncomingMessage, to: ServerResponse, server: string, ca: Buffer): Promise<void> {
    const number = ++this.requests;
    const rules = this.#rules;
    const fault = rules.fault?.(number) ?? 'none';
    try {
      const body = await buffer(from);
      if (fault === 'reset') return void from.socket.destroy();
      if (typeof fault === 'number') return refuse(to, fault);
      if (fault === 'slow') await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
      const answer = await forward(from, body, server, ca, closing(to));
      rules.onAnswered?.(number);
      if (fault === 'lost') return void from.socket.destroy();
      const { 'transfer-encoding': _, connection: __, ...headers } = answer.headers;
      to.writeHead(answer.statusCode!, headers);
      // A watch hears that it is open before there is anything to tell.
      to.flushHeaders();
      await pipeline(answer, to);
    } catch {
      // Either side went away, as it does when the client is killed.
      from.socket.destroy();
    }
  }
}

function refuse(to: ServerResponse, code: number): void {
  to.writeHead(code, { 'content-type': 'application/json' });
  to.end(JSON.stringify({ kind: 'Status', status: 'Failure', code, message: 'by the proxy' }));
}

/** Sends a request on. What comes back is read by the caller, for the answer to a watch has no end of its own. */
async function forward(from: IncomingMessage, body: Buffer, server: string, ca: Buffer, signal: AbortSignal) {
  const { host: _, connection: __, ...headers } = from.headers;
  const outgoing = request(new URL(from.url!, server), { method: from.method, headers, ca, signal });
  // Who reads the answer hears of it.
  outgoing.on('error', () => {});
  outgoing.end(body);
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  return answer;
}

/** Aborted when the client no longer listens: nobody else would end a watch. */
function closing(to: ServerResponse): AbortSignal {
  const closed = new AbortController();
  to.once('close', () => closed.abort());
  return closed.signal;
}
