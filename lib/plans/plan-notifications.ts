import { templateProblems } from '../graph/notice-text.ts';
import { annotations } from '../graph/labels.ts';
import { noticeFields, type NotificationDocument, type WireNotification } from '../graph/notifications.ts';
import { canonicalJson } from '../values/json.ts';
import { matchesLabels, type Labels, type LabelSelector } from '../values/label-selector.ts';
import { show, type Problem } from '../values/problems.ts';

/** For which plans a notification is. */
export interface NotificationFilter {
  /** The plans that it is about, by name; `*` stands for any letters. @default all that it is set for */
  readonly plans?: readonly string[];
  /** Labels of these plans, those of ours among them, such as `cdk8s-workflows.dev/group`. @default any */
  readonly labels?: LabelSelector;
}

/** What a plan or run is, as filters ask for it. */
export interface NotifiedOf {
  readonly plan?: string;
  readonly labels: Labels;
}

/** Whether a notification is about a plan. */
export function isAbout({ plans, labels }: NotificationFilter, { plan, labels: own }: NotifiedOf): boolean {
  const named = plans === undefined || (plan !== undefined && plans.some((each) => matches(each, plan)));
  return named && matchesLabels(labels ?? {}, own);
}

function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[^a-z0-9-]/gi, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}

/** The annotations of each run that say who is told of it; none when nobody is. */
export function notificationNotes({ cluster, runUrl, notifications }: NotificationDocument): Record<string, string> {
  if (Object.keys(notifications).length === 0) return {};
  const document: NotificationDocument = {
    ...(cluster !== undefined && { cluster }),
    ...(runUrl !== undefined && { runUrl }),
    notifications,
  };
  return { [annotations.notifications]: canonicalJson(document) };
}

/** What is wrong with the place where people see a run. */
export function* runUrlProblems(runUrl: string | undefined): Generator<Problem> {
  if (runUrl === undefined) return;
  if (!/^https?:\/\//.test(runUrl)) yield { path: 'runUrl', message: `${show(runUrl)} is no http: or https: URL` };
  // It is what `{url}` stands for.
  yield* templateProblems(runUrl, 'runUrl', new Set(noticeFields.filter((field) => field !== 'url')));
}

/** How many runs of a plan are kept. */
interface HistoryLimits {
  readonly successfulRunsHistoryLimit?: number;
  readonly failedRunsHistoryLimit?: number;
}

/** That the run before is not kept, which is what tells of failures in a row. */
export function* historyProblems(
  name: string,
  { on, consecutiveFailures: wanted }: { readonly on: readonly unknown[]; readonly consecutiveFailures?: number },
  { failedRunsHistoryLimit, successfulRunsHistoryLimit }: HistoryLimits,
): Generator<Problem> {
  if (!on.includes('recovered') && (wanted === undefined || wanted === 1)) return;
  for (const [path, limit] of Object.entries({ failedRunsHistoryLimit, successfulRunsHistoryLimit }))
    if (limit === 0)
      yield { path, message: `must be at least 1 for the notification ${show(name)}, which asks for the run before` };
}

/** A notification as a plan says it where there are no constructs: as runs carry it, and for which plans it is. */
export type PlanNotification = WireNotification & NotificationFilter;

/** As runs carry it. */
export function withoutFilter({ plans: _p, labels: _l, ...wire }: PlanNotification): WireNotification {
  return wire;
}
