import type { NotificationTo, TextOrSecret } from '../lib/graph/notifications.ts';
import { webhookProblems, webhookWarnings } from '../lib/plans/notification-receivers.ts';
import { objectName } from '../lib/pods/settings/object-name.ts';
import type { Problem } from '../lib/values/problems.ts';
import type { CloudEventsOptions, SecretOrText, TargetParts } from './notification-target.ts';

/** A receiver that gets a POST for each event. */
export class WebhookTarget implements TargetParts {
  readonly wire: Extract<NotificationTo, { readonly kind: 'slack' | 'cloudEvents' }>;
  readonly secrets: readonly string[];

  constructor(kind: 'slack' | 'cloudEvents', { url: written, headers: given = {} }: CloudEventsOptions) {
    const url = textOrSecret(written);
    const headers = Object.entries(given).map(([name, value]) => [name, textOrSecret(value)] as const);
    const withHeaders = headers.length > 0 && { headers: Object.fromEntries(headers) };
    this.wire = kind === 'slack' ? { kind, url } : { kind, url, ...withHeaders };
    const all = [url, ...headers.map(([, value]) => value)];
    this.secrets = all.flatMap((text) => (typeof text === 'object' ? [text.secret] : []));
  }

  problems(): Iterable<Problem> {
    return webhookProblems(this.wire);
  }

  warnings(): Iterable<Problem> {
    return webhookWarnings(this.wire);
  }
}

export function textOrSecret(value: SecretOrText): TextOrSecret {
  return typeof value === 'string' ? value : { secret: objectName(value.secret), key: value.key };
}
