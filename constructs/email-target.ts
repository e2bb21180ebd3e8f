import { templateProblems } from '../lib/graph/notice-text.ts';
import { mailTls, type MailTls, type NotificationTo } from '../lib/graph/notifications.ts';
import type { SecretKey } from '../lib/pods/settings/environment.ts';
import { objectName } from '../lib/pods/settings/object-name.ts';
import { show, suggest, type Problem } from '../lib/values/problems.ts';
import type { SecretOrText, TargetParts } from './notification-target.ts';
import { textOrSecret } from './webhook-target.ts';

/** A mail and the relay that it goes through. */
export interface EmailOptions {
  /** A server that takes mails by SMTP. */
  readonly relay: {
    readonly host: string;
    /** @default 587 with 'starttls', 465 with 'implicit', 25 with 'none' */
    readonly port?: number;
    /** How the connection is encrypted; with `starttls` nothing is said before it is. @default 'starttls' */
    readonly tls?: MailTls;
    /** Who the controller is to it. Not without TLS. @default nobody */
    readonly login?: { readonly user: SecretOrText; readonly password: Omit<SecretKey, 'optional'> };
  };
  /** The sender: `jobs@acme.dev` or `Jobs <jobs@acme.dev>`. */
  readonly from: string;
  /** The receivers, at least one. */
  readonly to: readonly string[];
  /** The subject, with fields as in the text. @default 'Run {run}: {event}' */
  readonly subject?: string;
}

const PORTS: Readonly<Record<MailTls, number>> = { starttls: 587, implicit: 465, none: 25 };

/** People by mail. */
export class EmailTarget implements TargetParts {
  readonly #options: EmailOptions;

  constructor(options: EmailOptions) {
    this.#options = options;
  }

  get wire(): NotificationTo {
    const { relay, from, to, subject } = this.#options;
    const { host, tls = 'starttls', port = PORTS[tls], login } = relay;
    const password = login && { secret: objectName(login.password.secret), key: login.password.key };
    return {
      kind: 'email',
      relay: { host, port, tls, ...(login && password && { login: { user: textOrSecret(login.user), password } }) },
      from,
      to,
      ...(subject !== undefined && { subject }),
    };
  }

  get secrets(): readonly string[] {
    const { login } = this.#options.relay;
    if (login === undefined) return [];
    const user = textOrSecret(login.user);
    return [objectName(login.password.secret), ...(typeof user === 'object' ? [user.secret] : [])];
  }

  *problems(): Generator<Problem> {
    const { relay, from, to, subject } = this.#options;
    const { host, port, tls = 'starttls', login } = relay;
    if (!/^[A-Za-z0-9]([-.:A-Za-z0-9]*[A-Za-z0-9])?$/.test(host))
      yield { path: 'to.relay.host', message: `${show(host)} is no host`, fix: 'give its name or address alone' };
    if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535))
      yield { path: 'to.relay.port', message: `must be a whole number from 1 to 65535, not ${show(port)}` };
    if (!mailTls.includes(tls)) yield { path: 'to.relay.tls', message: `is ${show(tls)}`, fix: suggest(tls, mailTls) };
    if (tls === 'none' && login !== undefined)
      yield { path: 'to.relay.login', message: 'would send the password for all to read', fix: 'use TLS' };
    if (to.length === 0) yield { path: 'to.to', message: 'is empty: nobody would get it', fix: 'name an address' };
    for (const [path, address] of [['to.from', from], ...to.map((each, index) => [`to.to[${index}]`, each])] as const)
      if (!ADDRESS.test(address!)) yield { path: path!, message: `${show(address)} is no address` };
    if (subject !== undefined) yield* templateProblems(subject, 'to.subject');
  }

  warnings(): readonly Problem[] {
    return [];
  }
}

/** One address, with or without a name before it. What else RFC 5322 allows nobody uses here. */
const ADDRESS = /^(?:[^<>@,;"\r\n]+ <[^\s@<>,;"]+@[^\s@<>,;"]+>|[^\s@<>,;"]+@[^\s@<>,;"]+)$/;
