import type { Duration } from 'cdk8s';
import {
  notificationEvents,
  type NotificationEvent,
  type RunFailureReason,
  type WireNotification,
} from '../lib/graph/notifications.ts';
import { notificationNameProblems, saidProblems } from '../lib/plans/notification-problems.ts';
import type { NotificationFilter } from '../lib/plans/plan-notifications.ts';
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
export interface NotificationProps extends NotificationFilter {
  /** What is told: at least one. `recovered` is the first success after a failure of the same plan. */
  readonly on: readonly NotificationTrigger[];
  /** Whom. */
  readonly to: NotificationTarget;
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
  yield* notificationNameProblems(name);
  yield* triggerProblems(props.on, `${at}.on`);
  yield* saidProblems(at, props.on, props);
  const { retryFor, to } = props;
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
