import { show, suggest, type Problem } from '../values/problems.ts';
import { noticeFields, type NoticeField, type NoticeFields, type NotificationEvent } from './notifications.ts';

/** A field in braces; braces written twice stand for themselves. */
const PART = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;

const known: ReadonlySet<string> = new Set(noticeFields);

/** What is wrong with a template. */
export function* templateProblems(
  template: string,
  path: string,
  fields: ReadonlySet<string> = known,
): Generator<Problem> {
  for (const [part, name] of template.matchAll(PART)) {
    if (part === '{{' || part === '}}') continue;
    if (name === undefined)
      yield { path, message: `has a single ${show(part)}: ${show(template)}`, fix: 'write it twice' };
    else if (!fields.has(name))
      yield {
        path,
        message: `${show(part)} is no field`,
        fix: suggest(name, fields) ?? `known are ${[...fields].join(', ')}`,
      };
  }
}

/** A template with its values. What is no field stays as it is: synth refused it, and nobody else is asked. */
export function fillTemplate(template: string, values: NoticeFields, escape: (value: string) => string): string {
  return template.replace(PART, (part: string, name: string | undefined) => {
    if (part === '{{' || part === '}}') return part[0]!;
    return name !== undefined && known.has(name) ? escape(values[name as NoticeField] ?? '') : part;
  });
}

/** Whether a template says something of a run, which is nothing where there is none. */
export function namesRun(template: string): boolean {
  return [...template.matchAll(PART)].some(([, name]) => name === 'run');
}

/** The subject of a mail when the author says nothing. */
export const DEFAULT_SUBJECT = 'Run {run}: {event}';

/** The same, of a time at which no run was made. */
export const MISSING_SUBJECT = 'Plan {plan}: {event}';
export const MISSING_TEXT = 'Plan {plan} is late: {message}.';

/** What is said of an event when the author says nothing. */
export const defaultTexts: Readonly<Record<NotificationEvent, string>> = {
  succeeded: 'Run {run} succeeded after {duration}.',
  failed: 'Run {run} failed after {duration}: {reason}. {message}',
  cancelled: 'Run {run} was cancelled. {message}',
  recovered: 'Back to normal: run {run} succeeded after {failures} failed in a row.',
  late: 'Run {run} is late: it was due at {scheduledAt}.',
  runningLong: 'Run {run} takes long: it started at {startedAt}.',
};
