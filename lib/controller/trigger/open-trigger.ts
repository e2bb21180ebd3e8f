import type { Metrics } from '../metrics.ts';
import { ServerCertificate, type CertificatePair } from './server-certificate.ts';
import { Trigger, type TriggerOptions } from './trigger.ts';
import { TriggerServer } from './trigger-server.ts';

/** How a trigger is reached, and by whom. */
export interface TriggerSettings {
  /** 0 takes a free one. */
  readonly port: number;
  /** What tokens must be meant for. */
  readonly audience: string;
  /** Of each caller, on this replica. */
  readonly requestsPerSecond: number;
  /** Paths of a certificate and its key. @default plain HTTP */
  readonly tls?: CertificatePair;
}

/**
 * Serves a trigger until it is disposed of.
 *
 * @throws Error when the port is taken, or the certificate cannot be read
 */
export async function openTrigger(
  settings: TriggerSettings,
  options: Pick<TriggerOptions, 'client' | 'log' | 'namespaces'> & { readonly metrics: Metrics },
): Promise<AsyncDisposable> {
  const { port, tls, audience, requestsPerSecond } = settings;
  const { metrics, log } = options;
  const certificate = tls && (await ServerCertificate.read(tls, log));
  const server = await TriggerServer.start({
    trigger: new Trigger({ ...options, audience, requestsPerSecond }),
    port,
    log,
    ...(certificate && { certificate }),
    onAnswer: (status) => metrics.triggered(status),
  });
  log.info('The trigger listens', { port: server.port, audience, tls: tls !== undefined });
  return {
    async [Symbol.asyncDispose]() {
      certificate?.[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
