import type { Duration } from 'cdk8s';
import { templateProblems } from '../lib/graph/notice-text.ts';
import {
  MAX_NOTIFICATION_NAME,
  notificationEvents,
  runFailureReasons,
  type NotificationEvent,
  type RunFailureReason,
  type WireNotification,
} from '../lib/graph/notifications.ts';
import { selectorProblems, type LabelSelector } from '../lib/values/label-selector.ts';
import { dnsLabelProblem } from '../lib/values/names.ts';
import { show, suggest, type Problem } from '../lib/values/problems.ts';
import { NotificationTarget, type NotifiedFrom } from './notification-target.ts';
import { seconds } from './settings.ts';

/** What somebody is told of: with a threshold where it is a matter of time. */
export type NotificationTrigger =
  | Exclude<NotificationEvent, 'late' | 'runningLong'>
  /** So long after it was due, by its schedule or by when it was made, it has not begun. */
  | { readonly late: Duration }
  /** So long after it began it has not ended. */
  | { readonly runningLong: Duration };

/** Who is told what of runs. */
export interface NotificationProps {
  /** What is told: at least one. `recovered` is the first success after a failure of the same plan. */
  readonly on: readonly NotificationTrigger[];
  /** Whom. */
  readonly to: NotificationTarget;
  /** The plans that it is about, by name; `*` stands for any letters. @default all that it is set for */
  readonly plans?: readonly string[];
  /** Labels of these plans, those of ours among them, such as `cdk8s-workflows.dev/group`. @default any */
  readonly labels?: LabelSelector;
  /** Of failures, those for these reasons. @default all */
  readonly reasons?: readonly RunFailureReason[];
  /**
   * Of failures, those that are at least the n-th in a row of their plan; of recoveries, those after as many. Runs that are cancelled do not count.
   * @default 1
   */
  readonly consecutiveFailures?: number;
  /**
   * What is said, with fields in braces: `{event}`, `{run}`, `{plan}`, `{workflow}`, `{group}`, `{namespace}`, `{cluster}`, `{phase}`, `{reason}`, `{message}`,
   * `{scheduledAt}`, `{startedAt}`, `{finishedAt}`, `{duration}`, `{failures}`, `{url}`. Braces written twice stand for themselves.
   * @default a sentence for each event, and the `runUrl`
   */
  readonly text?: string;
  /** How long a delivery is tried that fails, from when it happened. @default 24 hours */
  readonly retryFor?: Duration;
}

/** Notifications by their names; `false` takes off one that a lower level has. */
export type Notifications = Readonly<Record<string, NotificationProps | false>>;

/** @internal As runs carry it. */
export function wireNotification(props: NotificationProps): WireNotification {
  const { on, to, reasons, consecutiveFailures, text, retryFor } = props;
  const late = on.find((trigger) => isLate(trigger));
  const long = on.find((trigger) => isLong(trigger));
  return {
    on: on.filter((trigger) => typeof trigger === 'string'),
    ...(late && { lateAfterSeconds: seconds(late.late) }),
    ...(long && { longAfterSeconds: seconds(long.runningLong) }),
    ...(reasons && { reasons }),
    ...(consecutiveFailures !== undefined && { consecutiveFailures }),
    ...(text !== undefined && { text }),
    ...(retryFor && { retryForSeconds: seconds(retryFor) }),
    to: to.parts.wire,
  };
}

/** @internal What is wrong with one. */
export function* notificationProblems(name: string, props: NotificationProps, from: NotifiedFrom): Generator<Problem> {
  const at = `notifications.${name}`;
  const wrongName = dnsLabelProblem(name, MAX_NOTIFICATION_NAME);
  if (wrongName !== undefined) yield { path: at, message: `the name ${show(name)} ${wrongName}` };
  yield* triggerProblems(props.on, `${at}.on`);
  const about = props.on.filter((trigger) => trigger === 'failed' || trigger === 'recovered');
  const { reasons, consecutiveFailures, text, retryFor, labels, to } = props;
  for (const [index, reason] of (reasons ?? []).entries())
    if (!runFailureReasons.includes(reason))
      yield {
        path: `${at}.reasons[${index}]`,
        message: `${show(reason)} is no reason`,
        fix: suggest(reason, runFailureReasons),
      };
  if (reasons !== undefined && !about.includes('failed'))
    yield { path: `${at}.reasons`, message: "says nothing without 'failed'", fix: 'leave it out' };
  if (consecutiveFailures !== undefined && about.length === 0)
    yield { path: `${at}.consecutiveFailures`, message: "says nothing without 'failed' or 'recovered'" };
  else if (
    consecutiveFailures !== undefined &&
    !(Number.isSafeInteger(consecutiveFailures) && consecutiveFailures >= 1)
  )
    yield {
      path: `${at}.consecutiveFailures`,
      message: `must be a whole number from 1, not ${show(consecutiveFailures)}`,
    };
  if (labels !== undefined) yield* selectorProblems(labels, `${at}.labels`);
  if (text !== undefined) yield* templateProblems(text, `${at}.text`);
  if (retryFor !== undefined && seconds(retryFor) < 1)
    yield { path: `${at}.retryFor`, message: `must be at least a second, not ${retryFor.toIsoString()}` };
  if (!(to instanceof NotificationTarget))
    return yield { path: `${at}.to`, message: 'is missing', fix: 'give it a NotificationTarget' };
  for (const problem of to.parts.problems(from)) yield { ...problem, path: `${at}.${problem.path}` };
}

function* triggerProblems(on: NotificationProps['on'], path: string): Generator<Problem> {
  if (on.length === 0) yield { path, message: 'is empty: nothing would ever be told', fix: 'name an event' };
  const seen = new Set<string>();
  for (const [index, trigger] of on.entries()) {
    const name = typeof trigger === 'string' ? trigger : (Object.keys(trigger)[0] ?? '');
    const at = `${path}[${index}]`;
    if (seen.has(name)) yield { path: at, message: `${show(name)} is there twice`, fix: 'keep one' };
    seen.add(name);
    const threshold = isLate(trigger) ? trigger.late : isLong(trigger) ? trigger.runningLong : undefined;
    const needs = name === 'late' || name === 'runningLong';
    if (!(notificationEvents as readonly string[]).includes(name))
      yield { path: at, message: `${show(name)} is no event`, fix: suggest(name, notificationEvents) };
    else if (needs && threshold === undefined)
      yield { path: at, message: `${show(name)} needs a threshold`, fix: `write { ${name}: Duration.minutes(10) }` };
    else if (threshold !== undefined && seconds(threshold) < 1)
      yield { path: `${at}.${name}`, message: `must be at least a second, not ${threshold.toIsoString()}` };
  }
}

function isLate(trigger: NotificationTrigger): trigger is { readonly late: Duration } {
  return typeof trigger === 'object' && 'late' in trigger;
}

function isLong(trigger: NotificationTrigger): trigger is { readonly runningLong: Duration } {
  return typeof trigger === 'object' && 'runningLong' in trigger;
}
