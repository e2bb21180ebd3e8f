import type { MailTls, NotificationTo } from '../lib/graph/notifications.ts';
import { mailProblems } from '../lib/plans/notification-receivers.ts';
import type { SecretKey } from '../lib/pods/settings/environment.ts';
import { objectName } from '../lib/pods/settings/object-name.ts';
import type { Problem } from '../lib/values/problems.ts';
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

  get wire(): Extract<NotificationTo, { readonly kind: 'email' }> {
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

  problems(): Iterable<Problem> {
    return mailProblems(this.wire);
  }

  warnings(): readonly Problem[] {
    return [];
  }
}
