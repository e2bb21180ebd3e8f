import type { NotificationTo, TextOrSecret } from '../lib/graph/notifications.ts';
import { objectName } from '../lib/pods/settings/object-name.ts';
import { show, type Problem } from '../lib/values/problems.ts';
import type { CloudEventsOptions, SecretOrText, TargetParts } from './notification-target.ts';

/** A receiver that gets a POST for each event. */
export class WebhookTarget implements TargetParts {
  readonly wire: NotificationTo;
  readonly #url: TextOrSecret;
  readonly #headers: readonly (readonly [string, TextOrSecret])[];

  constructor(kind: 'slack' | 'cloudEvents', { url, headers = {} }: CloudEventsOptions) {
    this.#url = textOrSecret(url);
    this.#headers = Object.entries(headers).map(([name, value]) => [name, textOrSecret(value)] as const);
    const given = this.#headers.length > 0 && { headers: Object.fromEntries(this.#headers) };
    this.wire = kind === 'slack' ? { kind, url: this.#url } : { kind, url: this.#url, ...given };
  }

  get secrets(): readonly string[] {
    const all = [this.#url, ...this.#headers.map(([, value]) => value)];
    return all.flatMap((text) => (typeof text === 'object' ? [text.secret] : []));
  }

  *problems(): Generator<Problem> {
    const url = this.#url;
    if (typeof url === 'string' && !/^https?:$/.test(parsed(url)?.protocol ?? ''))
      yield { path: 'to.url', message: `${show(url)} is no http: or https: URL` };
    for (const [name] of this.#headers) {
      const path = `to.headers.${name}`;
      if (!HEADER.test(name)) yield { path, message: 'is no name of a header' };
      else if (OURS.has(name.toLowerCase())) yield { path, message: 'is set by the controller', fix: 'leave it out' };
    }
  }

  *warnings(): Generator<Problem> {
    const fix = 'put it into a Secret and give { secret, key }';
    if (typeof this.#url === 'string' && hasToken(this.#url))
      yield { path: 'to.url', message: 'looks as if it has a token, and everybody can read it who may read Jobs', fix };
    for (const [name, value] of this.#headers)
      if (typeof value === 'string' && /auth|token|key|secret|cookie|signature/i.test(name))
        yield { path: `to.headers.${name}`, message: 'can be read by everybody who may read Jobs', fix };
  }
}

/** (RFC 9110, section 5.6.2: token) */
const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const OURS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'host',
  'idempotency-key',
  'transfer-encoding',
  'user-agent',
]);

export function textOrSecret(value: SecretOrText): TextOrSecret {
  return typeof value === 'string' ? value : { secret: objectName(value.secret), key: value.key };
}

/** Credentials, a parameter with the name of one, or a part of a path that nobody would make up: long, with letters and digits. */
function hasToken(text: string): boolean {
  const url = parsed(text);
  if (url === undefined) return false;
  const named = [...url.searchParams.keys()].some((name) => /token|key|secret|sig|auth|password/i.test(name));
  const parts = url.pathname.split('/');
  return url.username !== '' || named || parts.some((part) => /^(?=.*\d)(?=.*[A-Za-z])[\w-]{20,}$/.test(part));
}

function parsed(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
