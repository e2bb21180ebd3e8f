import type { NotificationTo, TextOrSecret } from '../../graph/notifications.ts';
import type { Outcome } from './delivery.ts';
import { sendMail } from './mail.ts';
import { cloudEvent, slackMessage, type Notice } from './notice.ts';
import type { Launches } from './launches.ts';
import type { Secrets } from './secrets.ts';
import type { Webhooks } from './webhook.ts';

/** What goes where, by the kind of the target. */
export class Deliverer {
  readonly #secrets: Secrets;
  readonly #webhooks: Webhooks;
  readonly #launches: Launches;

  constructor(secrets: Secrets, webhooks: Webhooks, launches: Launches) {
    this.#launches = launches;
    this.#secrets = secrets;
    this.#webhooks = webhooks;
  }

  /**
   * Tries once.
   *
   * @throws DeliveryError when it cannot be tried as things are
   */
  async deliver(to: NotificationTo, notice: Notice, namespace: string, signal: AbortSignal): Promise<Outcome> {
    if (to.kind === 'launch') return this.#launches.launch(to, notice, namespace, signal);
    const valueOf = (text: TextOrSecret) => this.#secrets.valueOf(text, namespace);
    if (to.kind === 'email') return sendMail(to, notice, valueOf, signal);
    const isEvent = to.kind === 'cloudEvents';
    const headers: Record<string, string> = {
      'content-type': isEvent ? 'application/cloudevents+json; charset=utf-8' : 'application/json; charset=utf-8',
      'user-agent': 'cdk8s-workflows',
      // By this receivers can drop repeats. (draft-ietf-httpapi-idempotency-key-header)
      'idempotency-key': notice.id,
    };
    if (isEvent) for (const [name, text] of Object.entries(to.headers ?? {})) headers[name] = await valueOf(text);
    const body = JSON.stringify(isEvent ? cloudEvent(notice) : slackMessage(notice));
    return this.#webhooks.post({ url: await valueOf(to.url), headers, body }, signal);
  }
}
