import type { Construct } from 'constructs';
import type { NotificationTo } from '../lib/graph/notifications.ts';
import type { SecretKey } from '../lib/pods/settings/environment.ts';
import type { Problem } from '../lib/values/problems.ts';
import type { Shape } from '../lib/values/shape.ts';
import { EmailTarget, type EmailOptions } from './email-target.ts';
import { LaunchTarget, type NoticeInputs } from './launch-target.ts';
import type { AnyPlan } from './run-step.ts';
import { WebhookTarget } from './webhook-target.ts';

/** Text as it is, which everybody can read who may read Jobs, or one value of a Secret in the namespace of the run. */
export type SecretOrText = string | Omit<SecretKey, 'optional'>;

/** How a receiver of CloudEvents is reached. */
export interface CloudEventsOptions {
  /** Where to send them: `http:` or `https:`. A URL with a token in it is a secret. */
  readonly url: SecretOrText;
  /** Headers beside those of CloudEvents, such as `authorization`. @default none */
  readonly headers?: Readonly<Record<string, SecretOrText>>;
}

/** Whose runs are told of. */
export interface NotifiedFrom {
  readonly construct: Construct;
  /** Left out where only the cluster that it is applied to knows. */
  readonly namespace: string | undefined;
}

/** What there is to be known of a target. */
export interface TargetParts {
  /** As runs carry it. */
  readonly wire: NotificationTo;
  /** The Secrets that the controller must read. */
  readonly secrets: readonly string[];
  problems(from: NotifiedFrom): Iterable<Problem>;
  /** What is likely a secret and is not kept as one. */
  warnings(): Iterable<Problem>;
}

/** Whom a notification goes to. One may be used in several. */
export class NotificationTarget {
  /** @internal */
  readonly parts: TargetParts;

  private constructor(parts: TargetParts) {
    this.parts = parts;
  }

  /**
   * An incoming webhook of Slack, or of something that takes the same JSON, such as Mattermost. Its URL is a secret.
   *
   * @example NotificationTarget.slack({ url: { secret: 'alerts', key: 'slack-url' } })
   */
  static slack({ url }: Pick<CloudEventsOptions, 'url'>): NotificationTarget {
    return new NotificationTarget(new WebhookTarget('slack', { url }));
  }

  /** A receiver of CloudEvents 1.0: each comes in a POST of its own, in structured mode. */
  static cloudEvents(options: CloudEventsOptions): NotificationTarget {
    return new NotificationTarget(new WebhookTarget('cloudEvents', options));
  }

  /**
   * People by mail, through a relay that takes it by SMTP.
   *
   * @example
   * NotificationTarget.email({
   *   relay: { host: 'smtp.acme.dev', login: { user: 'jobs', password: { secret: 'alerts', key: 'smtp' } } },
   *   from: 'Jobs <jobs@acme.dev>',
   *   to: ['data@acme.dev'],
   * })
   */
  static email(options: EmailOptions): NotificationTarget {
    return new NotificationTarget(new EmailTarget(options));
  }

  /**
   * A launch plan in the namespace of the run: it gets a run for each event. That run launches no other by a notification.
   *
   * @example
   * NotificationTarget.launch(cleanUp, { failedRun: notice.run, reason: notice.reason })
   */
  static launch<I extends Shape, R extends object>(
    plan: AnyPlan<I, R>,
    inputs: NoticeInputs<NoInfer<I>> = {},
  ): NotificationTarget {
    return new NotificationTarget(new LaunchTarget(plan.launchable, inputs));
  }
}
