import { kickoffText } from '../../graph/kickoff.ts';
import { DOMAIN, notifiedPrefix } from '../../graph/labels.ts';
import {
  DEFAULT_SUBJECT,
  defaultTexts,
  fillTemplate,
  MISSING_SUBJECT,
  MISSING_TEXT,
  namesRun,
} from '../../graph/notice-text.ts';
import type { NoticeFields, NotificationDocument, NotificationEvent } from '../../graph/notifications.ts';
import { formatDuration } from '../../values/duration.ts';
import type { LateTime } from './late-rules.ts';
import type { Due } from './notification-rules.ts';
import type { PlanFacts } from './plan-facts.ts';
import type { RunFacts } from './run-facts.ts';

/** What is told of a run, or of a plan that made none, before it is put into the form that a receiver takes. */
export interface Notice {
  /** The same for every try: receivers can drop repeats by it. */
  readonly id: string;
  /** Name of the notification. */
  readonly notification: string;
  readonly event: NotificationEvent;
  readonly at: number;
  readonly fields: NoticeFields;
  /** The author's template, else ours. */
  readonly template: string;
}

export function noticeOf(
  run: RunFacts,
  failures: number,
  { cluster, runUrl, notifications }: NotificationDocument,
  { notification, event, at }: Due,
): Notice {
  const { end } = run;
  const given: Record<string, string | undefined> = {
    event,
    run: run.name,
    plan: run.plan,
    workflow: run.workflow,
    group: run.group,
    namespace: run.namespace,
    cluster,
    phase: end?.phase ?? (run.startedAt === undefined ? 'Pending' : 'Running'),
    reason: end?.reason,
    message: end?.message,
    scheduledAt: kickoffText(run.scheduledAt ?? run.createdAt),
    startedAt: textOf(run.startedAt),
    finishedAt: textOf(end?.at),
    duration: run.startedAt === undefined ? undefined : formatDuration((end?.at ?? at) - run.startedAt),
    failures: String(failures + (end?.phase === 'Failed' ? 1 : 0)),
  };
  const fields = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as NoticeFields;
  const url = runUrl === undefined ? undefined : fillTemplate(runUrl, fields, encodeURIComponent);
  const template = notifications[notification]?.text ?? defaultTexts[event] + (url === undefined ? '' : '\n{url}');
  return { id: `${run.uid}.${event}`, notification, event, at, fields: { ...fields, ...(url && { url }) }, template };
}

/** Of a time at which a plan made no run. What the author says of runs is not said then. */
export function missingNotice(
  plan: PlanFacts,
  { cluster, runUrl, notifications }: NotificationDocument,
  { notification, event, time, at }: LateTime,
): Notice {
  const scheduledAt = kickoffText(time);
  const { goesOn, workflow, group } = plan;
  const fields: NoticeFields = {
    event,
    plan: plan.name,
    namespace: plan.namespace,
    scheduledAt,
    message: `no run was made for ${scheduledAt}${goesOn === undefined ? '' : `, since ${goesOn} still goes on`}`,
    failures: '0',
    ...(goesOn !== undefined && { reason: 'RunGoesOn' }),
    ...(workflow !== undefined && { workflow }),
    ...(group !== undefined && { group }),
    ...(cluster !== undefined && { cluster }),
  };
  const url = runUrl === undefined || namesRun(runUrl) ? undefined : fillTemplate(runUrl, fields, encodeURIComponent);
  const { text } = notifications[notification]!;
  const template = text === undefined || namesRun(text) ? MISSING_TEXT + (url === undefined ? '' : '\n{url}') : text;
  const id = `${plan.uid}.${time / 1000}.${event}`;
  return { id, notification, event, at, fields: { ...fields, ...(url && { url }) }, template };
}

/** Plain text. */
export function noticeText({ template, fields }: Notice): string {
  return fillTemplate(template, fields, (value) => value).trim();
}

/** The subject of a mail: one line. */
export function noticeSubject({ fields }: Notice, given = DEFAULT_SUBJECT): string {
  const template = fields.run === undefined && namesRun(given) ? MISSING_SUBJECT : given;
  return fillTemplate(template, fields, (value) => value)
    .replace(/\s+/g, ' ')
    .trim();
}

/** The body of an incoming webhook of Slack, which Mattermost, Rocket.Chat and others take as well. (docs.slack.dev/messaging/formatting-message-text: escaping) */
export function slackMessage({ template, fields }: Notice): object {
  const escape = (value: string) => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return { text: fillTemplate(template, fields, escape).trim() };
}

/** A CloudEvent in structured mode. (cloudevents/spec v1.0.2, required attributes and JSON format) */
export function cloudEvent(notice: Notice): object {
  const { id, event, at, fields } = notice;
  const { cluster, namespace = '', run, plan = '' } = fields;
  const about = run === undefined ? ['cronjobs', plan] : ['jobs', run];
  const parts = [...(cluster === undefined ? [] : ['clusters', cluster]), 'namespaces', namespace, ...about];
  return {
    specversion: '1.0',
    id,
    source: `/${parts.map(encodeURIComponent).join('/')}`,
    type: `${DOMAIN.split('.').reverse().join('.')}.${run === undefined ? 'plan' : 'run'}.${event}`,
    subject: fields.plan ?? run,
    time: kickoffText(at),
    datacontenttype: 'application/json',
    data: { ...fields, failures: Number(fields.failures ?? 0), text: noticeText(notice) },
  };
}

/** What tells on a run's Job that an event was delivered, with the name of the event and of the notification after it. */
export function settledKey({ event, notification }: Pick<Due, 'event' | 'notification'>): string {
  return `${notifiedPrefix}${event}.${notification}`;
}

const textOf = (time: number | undefined) => (time === undefined ? undefined : kickoffText(time));
