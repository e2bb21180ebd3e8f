import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ScrapedMetrics } from './metrics.ts';

/** What a health server answers from. */
export interface HealthOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly ready: () => boolean;
  readonly metrics: ScrapedMetrics;
}

/** Answers the probes of the kubelet and the scrapes of Prometheus: `/healthz`, `/readyz`, `/metrics`. */
export class HealthServer implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws Error when the port is taken */
  static async start(options: HealthOptions): Promise<HealthServer> {
    const server = createServer((request, response) => {
      answer(request.url ?? '', response, options).catch(() => response.destroy());
    });
    server.listen(options.port);
    await once(server, 'listening');
    // A probe must not keep an ending process alive.
    server.unref();
    return new HealthServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function answer(url: string, response: ServerResponse, { ready, metrics }: HealthOptions): Promise<void> {
  const text = (status: number, body: string, type = 'text/plain') =>
    void response.writeHead(status, { 'content-type': type }).end(body);
  const [path] = url.split('?');
  if (path === '/healthz') text(200, 'ok\n');
  else if (path === '/readyz') text(ready() ? 200 : 503, ready() ? 'ok\n' : 'not ready\n');
  else if (path === '/metrics') text(200, await metrics.text(), metrics.contentType);
  else text(404, 'there is /healthz, /readyz and /metrics\n');
}
