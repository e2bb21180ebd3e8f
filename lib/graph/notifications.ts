import { canonicalJson, isJsonObject, type Json } from '../values/json.ts';

/** What people and programs are told of runs. It travels with each run, as an annotation of its Job: {@link NotificationDocument}. */

/** What may be told of a run. */
export const notificationEvents = ['succeeded', 'failed', 'cancelled', 'recovered', 'late', 'runningLong'] as const;
export type NotificationEvent = (typeof notificationEvents)[number];

/** Why a run failed: those of a run that is sequenced, and Kubernetes' own of a single task. (batch/v1: JobReason constants) */
export const runFailureReasons = [
  'StepFailed',
  'RunTimeout',
  'InvalidRun',
  'BackoffLimitExceeded',
  'DeadlineExceeded',
  'PodFailurePolicy',
  'FailedIndexes',
  'MaxFailedIndexesExceeded',
] as const;
export type RunFailureReason = (typeof runFailureReasons)[number];

/** One value of a Secret in the namespace of the run. */
export interface SecretRef {
  readonly secret: string;
  readonly key: string;
}

/** Text as it is, or where it is kept. */
export type TextOrSecret = string | SecretRef;

/** What an input of a run that is launched gets: a field of what is told, or a value. */
export type NoticeInput = { readonly field: NoticeField } | { readonly value: Json };

/** A server that takes mails by SMTP and sees to the rest. */
export interface MailRelay {
  readonly host: string;
  readonly port: number;
  /** `implicit` from the first byte, `starttls` before anything is said, or not at all. */
  readonly tls: MailTls;
  readonly login?: { readonly user: TextOrSecret; readonly password: SecretRef };
}

export const mailTls = ['implicit', 'starttls', 'none'] as const;
export type MailTls = (typeof mailTls)[number];

/** Whom to tell, and how. */
export type NotificationTo =
  | { readonly kind: 'slack'; readonly url: TextOrSecret }
  | {
      readonly kind: 'cloudEvents';
      readonly url: TextOrSecret;
      readonly headers?: Readonly<Record<string, TextOrSecret>>;
    }
  | {
      readonly kind: 'email';
      readonly relay: MailRelay;
      readonly from: string;
      readonly to: readonly string[];
      /** A template of {@link noticeFields}. */
      readonly subject?: string;
    }
  /** A launch plan in the namespace of the run. */
  | { readonly kind: 'launch'; readonly plan: string; readonly inputs: Readonly<Record<string, NoticeInput>> };

/** One of them, on the wire. */
export interface WireNotification {
  /** Those that need no threshold. */
  readonly on: readonly Exclude<NotificationEvent, 'late' | 'runningLong'>[];
  readonly lateAfterSeconds?: number;
  readonly longAfterSeconds?: number;
  /** Of failures, those for these reasons. */
  readonly reasons?: readonly string[];
  /** Of failures, those that are at least the n-th in a row of their plan; of recoveries, those after as many. */
  readonly consecutiveFailures?: number;
  /** A template of {@link noticeFields}. */
  readonly text?: string;
  readonly retryForSeconds?: number;
  readonly to: NotificationTo;
}

/** The annotation. */
export interface NotificationDocument {
  /** The cluster's name in its fleet. */
  readonly cluster?: string;
  /** A template of {@link noticeFields}, whose values are encoded for a URL. */
  readonly runUrl?: string;
  readonly notifications: Readonly<Record<string, WireNotification>>;
}

/** How long a delivery is tried when nobody says. */
export const RETRY_FOR_SECONDS = 24 * 3600;

/** What a template may name. Those that a run does not have are empty. */
export const noticeFields = [
  'event',
  'run',
  'plan',
  'workflow',
  'group',
  'namespace',
  'cluster',
  'phase',
  'reason',
  'message',
  'scheduledAt',
  'startedAt',
  'finishedAt',
  'duration',
  'failures',
  'url',
] as const;
export type NoticeField = (typeof noticeFields)[number];
export type NoticeFields = Readonly<Partial<Record<NoticeField, string>>>;

/** The longest name of a notification: an annotation that says that it was delivered ends in it. */
export const MAX_NOTIFICATION_NAME = 40;

/** The annotation where a plan runs on another cluster than it was made for. What is none stays as it is: whoever reads it tells so. */
export function notificationsOn(cluster: string, text: string): string {
  try {
    const document: unknown = JSON.parse(text);
    return isJsonObject(document) ? canonicalJson({ ...document, cluster }) : text;
  } catch {
    return text;
  }
}
