import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from './certificates.ts';
import { mainContainer } from './pod-status.ts';
import type { SimulatedPod } from './simulated-pod.ts';

/** Finds a simulated pod by namespace and name. */
export type FindPod = (namespace: string, name: string) => SimulatedPod | undefined;

/** The part of a kubelet that the API server asks for logs, on the loopback interface. */
export class LogServer {
  readonly #server: Server;

  static async start(find: FindPod): Promise<LogServer> {
    const directory = await mkdtemp(join(tmpdir(), 'cdk8s-workflows-logs-'));
    try {
      const { certFile, keyFile } = await selfSigned(directory, 'kubelet', '/CN=simulated-node');
      const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
      const server = createServer({ cert, key }, (request, response) => void answer(find, request, response));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return new LogServer(server);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  private constructor(server: Server) {
    this.#server = server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Answers `/containerLogs/<namespace>/<pod>/<container>`; a reader who follows waits for the end of the pod. */
async function answer(find: FindPod, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://kubelet');
  const [, kind, namespace = '', name = '', container] = url.pathname.split('/');
  const pod = kind === 'containerLogs' ? find(namespace, name) : undefined;
  if (!pod) {
    response.writeHead(404).end(`the server could not find the requested resource ${url.pathname}\n`);
    return;
  }
  const follow = url.searchParams.get('follow') === 'true';
  while (follow && !pod.ended && !response.destroyed) await new Promise((resolve) => setTimeout(resolve, 20));
  const lines = container === mainContainer(pod.pod) ? pod.log.split(/(?<=\n)/) : [];
  const tail = url.searchParams.get('tailLines');
  const limit = url.searchParams.get('limitBytes');
  const wanted = Buffer.from(lines.slice(tail === null ? 0 : Math.max(0, lines.length - Number(tail))).join(''));
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.end(limit === null ? wanted : wanted.subarray(0, Number(limit)));
}
