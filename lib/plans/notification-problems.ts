import { templateProblems } from '../graph/notice-text.ts';
import {
  MAX_NOTIFICATION_NAME,
  notificationEvents,
  runFailureReasons,
  type NotificationTo,
  type WireNotification,
} from '../graph/notifications.ts';
import { isJsonObject } from '../values/json.ts';
import { selectorProblems } from '../values/label-selector.ts';
import { dnsLabelProblem } from '../values/names.ts';
import { show, suggest, type Problem } from '../values/problems.ts';
import { mailProblems, webhookProblems } from './notification-receivers.ts';
import type { NotificationFilter, PlanNotification } from './plan-notifications.ts';

/** What is wrong with the name of a notification. */
export function* notificationNameProblems(name: string): Generator<Problem> {
  const wrong = dnsLabelProblem(name, MAX_NOTIFICATION_NAME);
  if (wrong !== undefined) yield { path: `notifications.${name}`, message: `the name ${show(name)} ${wrong}` };
}

/** What is said of events beside which they are. */
type Said = NotificationFilter & Pick<WireNotification, 'reasons' | 'consecutiveFailures' | 'text'>;

/** What is wrong with the filters and the text of a notification, whichever way its events are written. */
export function* saidProblems(
  at: string,
  events: readonly unknown[],
  { reasons, consecutiveFailures, text, labels }: Said,
): Generator<Problem> {
  const failed = events.includes('failed');
  for (const [index, reason] of (reasons ?? []).entries())
    if (!(runFailureReasons as readonly string[]).includes(reason))
      yield {
        path: `${at}.reasons[${index}]`,
        message: `${show(reason)} is no reason`,
        fix: suggest(reason, runFailureReasons),
      };
  if (reasons !== undefined && !failed)
    yield { path: `${at}.reasons`, message: "says nothing without 'failed'", fix: 'leave it out' };
  if (consecutiveFailures !== undefined && !failed && !events.includes('recovered'))
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
}

/** The events that need no threshold. */
const SIMPLE = notificationEvents.filter((event) => event !== 'late' && event !== 'runningLong');

/** The thresholds of the two others. */
const THRESHOLDS: Readonly<Record<string, string>> = { late: 'lateAfterSeconds', runningLong: 'longAfterSeconds' };

/** What is wrong with a notification that was not made by constructs. Of a launch, what the plan takes is not looked at. */
export function* notificationProblems(name: string, given: PlanNotification): Generator<Problem> {
  const at = `notifications.${name}`;
  yield* notificationNameProblems(name);
  if (!isJsonObject(given)) return yield { path: at, message: `must be a notification, or false, not ${show(given)}` };
  const { on = [], lateAfterSeconds, longAfterSeconds, retryForSeconds } = given;
  if (!Array.isArray(on)) yield { path: `${at}.on`, message: `must be a list of events, not ${show(on)}` };
  else {
    if (on.length === 0 && lateAfterSeconds === undefined && longAfterSeconds === undefined)
      yield { path: `${at}.on`, message: 'is empty: nothing would ever be told', fix: 'name an event' };
    for (const [index, event] of on.entries()) {
      const path = `${at}.on[${index}]`;
      const threshold = THRESHOLDS[event];
      if (threshold !== undefined)
        yield { path, message: `${show(event)} needs a threshold`, fix: `write ${threshold} beside "on" instead` };
      else if (!SIMPLE.includes(event))
        yield { path, message: `${show(event)} is no event`, fix: suggest(String(event), SIMPLE) };
      else if (on.indexOf(event) < index) yield { path, message: `${show(event)} is there twice`, fix: 'keep one' };
    }
    yield* saidProblems(at, on, given);
  }
  for (const [field, value] of Object.entries({ lateAfterSeconds, longAfterSeconds, retryForSeconds }))
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 1))
      yield { path: `${at}.${field}`, message: `must be a whole number of at least 1, not ${show(value)}` };
  for (const problem of receiverProblems(given.to)) yield { ...problem, path: `${at}.${problem.path}` };
}

/** What no receiver can do without, by its kind. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, (value: unknown) => boolean>>>> = {
  slack: { url: isTextOrSecret },
  cloudEvents: { url: isTextOrSecret },
  email: { relay: isJsonObject, from: (value) => typeof value === 'string', to: Array.isArray },
  launch: { plan: (value) => typeof value === 'string', inputs: isJsonObject },
};

function isTextOrSecret(value: unknown): boolean {
  if (typeof value === 'string') return true;
  return isJsonObject(value) && typeof value.secret === 'string' && typeof value.key === 'string';
}

function* receiverProblems(to: NotificationTo | undefined): Generator<Problem> {
  const lacking = Object.entries(FIELDS[to?.kind ?? ''] ?? {})
    .map(([field, fits]) => [field, (to as Readonly<Record<string, unknown>>)[field], fits] as const)
    .filter(([, value, fits]) => !fits(value));
  for (const [field, value] of lacking)
    yield { path: `to.${field}`, message: value === undefined ? 'is missing' : `cannot be ${show(value)}` };
  if (lacking.length > 0) return;
  switch (to?.kind) {
    case 'slack':
    case 'cloudEvents':
      return yield* webhookProblems(to);
    case 'email':
      return yield* mailProblems(to);
    case 'launch': {
      const wrong = dnsLabelProblem(to.plan);
      if (wrong !== undefined) yield { path: 'to.plan', message: `${show(to.plan)} ${wrong}` };
      return;
    }
    default: {
      const kinds = ['slack', 'cloudEvents', 'email', 'launch'] as const;
      const kind = (to as { readonly kind?: unknown } | undefined)?.kind;
      yield { path: 'to.kind', message: `is ${show(kind)}`, fix: `known are ${kinds.join(', ')}` };
    }
  }
}
