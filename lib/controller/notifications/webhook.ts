import type * as Undici from 'undici';
import { proxyFor } from '../../kube/proxy.ts';
import { delivered, DeliveryError, type Outcome } from './delivery.ts';

/** A POST to somebody else's server. */
export interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How patient a webhook is, in milliseconds, and through which proxies it goes. */
export interface WebhookOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For the whole exchange. @default 10000 */
  readonly timeoutMs?: number;
}

/** Of an answer as much is read as lets the connection be used again; it is never shown, for it may be of a server that is nobody's business. */
const READ_BYTES = 64 * 1024;
const READ_MS = 1_000;

/** The longest wait that a receiver may ask for, in milliseconds. */
const LONGEST_WAIT_MS = 3_600_000;

/** Posts to receivers of webhooks. Redirects are not followed: whoever moved has the URL changed. */
export class Webhooks {
  readonly #options: WebhookOptions;
  #undici: typeof Undici | undefined;
  /** By the proxy that they go through; the empty one is none. */
  readonly #agents = new Map<string, Undici.Dispatcher>();

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  /** @throws DeliveryError when the URL is none */
  async post({ url, headers, body }: WebhookRequest, signal: AbortSignal): Promise<Outcome> {
    const target = URL.canParse(url) ? new URL(url) : undefined;
    if (target === undefined || !/^https?:$/.test(target.protocol))
      throw new DeliveryError('its URL is no http: or https: URL');
    this.#undici ??= await import('undici');
    const timeout = AbortSignal.timeout(this.#options.timeoutMs ?? 10_000);
    try {
      const answer = await this.#undici.request(target, {
        method: 'POST',
        headers: { ...headers, ...credentialsIn(target) },
        body,
        dispatcher: this.#agentFor(this.#undici, target),
        signal: AbortSignal.any([signal, timeout]),
      });
      await answer.body.dump({ limit: READ_BYTES, signal: AbortSignal.timeout(READ_MS) }).catch(() => undefined);
      return outcomeOf(answer.statusCode, answer.headers['retry-after'], Date.now());
    } catch (error) {
      signal.throwIfAborted();
      return { kind: 'failed', why: timeout.aborted ? 'no answer in time' : reasonOf(error) };
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
    this.#agents.clear();
  }

  #agentFor({ Agent, ProxyAgent }: typeof Undici, url: URL): Undici.Dispatcher {
    const proxy = proxyFor(url, undefined, this.#options.env) ?? '';
    const known = this.#agents.get(proxy);
    if (known) return known;
    const common = { connections: 16, pipelining: 1, allowH2: false };
    const agent = proxy === '' ? new Agent(common) : new ProxyAgent({ uri: proxy, ...common });
    this.#agents.set(proxy, agent);
    return agent;
  }
}

/** What an answer means. A client error stays one, but for those that say to come back. */
export function outcomeOf(status: number, retryAfter: string | string[] | undefined, now: number): Outcome {
  const why = `HTTP ${status}`;
  if (status >= 200 && status < 300) return delivered;
  if (status >= 300 && status < 400) return { kind: 'refused', why: `${why}: redirects are not followed` };
  const comesBack = status >= 500 || [408, 409, 425, 429].includes(status);
  if (!comesBack) return { kind: 'refused', why };
  const afterMs = waitOf(retryAfter, now);
  return { kind: 'failed', why, ...(afterMs !== undefined && { afterMs }) };
}

/** `Retry-After`: seconds, or a date. (RFC 9110, section 10.2.3) */
function waitOf(header: string | string[] | undefined, now: number): number | undefined {
  if (typeof header !== 'string') return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.min(LONGEST_WAIT_MS, Math.max(0, ms));
}

function credentialsIn(url: URL): Record<string, string> {
  if (url.username === '' && url.password === '') return {};
  const said = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  return { authorization: `Basic ${Buffer.from(said).toString('base64')}` };
}

/** Why there was no answer, without the address, which may be a secret. */
function reasonOf(error: unknown): string {
  const { code, cause } = error as { readonly code?: string; readonly cause?: { readonly code?: string } };
  return `no answer: ${code ?? cause?.code ?? 'the connection failed'}`;
}
