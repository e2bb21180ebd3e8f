import { annotations, labels, type Concurrency } from '../../graph/labels.ts';
import type { SkipReason } from '../../graph/plan-record.ts';
import { scheduledAt } from '../../runs/run-kinds.ts';
import { isJsonObject } from '../../values/json.ts';
import type { Job } from '../objects.ts';

/** When a run of a plan may begin, beside the others of the plan. Pure: the Jobs tell all of it. */

/** What comes of a run that has not begun. */
export type Turn =
  | { readonly kind: 'begin' }
  /** Until these have ended. */
  | { readonly kind: 'wait'; readonly runs: readonly Job[] }
  /** As above, and they are cancelled. */
  | { readonly kind: 'replace'; readonly runs: readonly Job[] }
  /** It never runs. */
  | { readonly kind: 'skip'; readonly reason: SkipReason; readonly why: string };

/** Whether a run's Job says anything of when it may begin. */
export function hasTurn({ metadata }: Job): boolean {
  const given = metadata.annotations ?? {};
  const top = metadata.labels?.[labels.plan] !== undefined && metadata.labels[labels.step] === undefined;
  return top && [annotations.concurrency, annotations.between, annotations.pausedUntil].some((key) => key in given);
}

/**
 * Whether a run may begin.
 *
 * @param before the open runs of its plan that have begun or come before it, in that order
 */
export function turnOf(job: Job, before: readonly Job[]): Turn {
  const scheduled = scheduledAt(job);
  const closed = scheduled === undefined ? undefined : closedAt(job, scheduled);
  if (closed !== undefined) return { kind: 'skip', ...closed };
  const concurrency = concurrencyOf(job);
  if (before.length === 0 || concurrency.policy === 'Allow') return { kind: 'begin' };
  if (concurrency.policy === 'Replace') return { kind: 'replace', runs: before };
  // Who launches by hand has a reason, and waits.
  if (scheduled === undefined) return { kind: 'wait', runs: before };
  const { name } = before[0]!.metadata;
  if (concurrency.policy !== 'Queue') return { kind: 'skip', reason: 'RunGoesOn', why: `${name} still goes on` };
  // Every time that was missed is made up for, and keeps none waiting that was not.
  if (isCaughtUp(job)) return { kind: 'wait', runs: before };
  const waiting = before.slice(1).filter((each) => !isCaughtUp(each)).length;
  if (waiting < concurrency.max) return { kind: 'wait', runs: before };
  const others = waiting === 1 ? '1 waits' : `${waiting} wait`;
  return { kind: 'skip', reason: 'QueueFull', why: `${name} still goes on, and ${others} already` };
}

function isCaughtUp({ metadata }: Job): boolean {
  return metadata.annotations?.[annotations.caughtUp] !== undefined;
}

/** The plan of a run, by its name. */
export function planNameOf({ metadata }: Job): string {
  return metadata.labels?.[labels.plan] ?? '';
}

/** The plan of a run, apart from those of the same name in other namespaces. */
export function planOf(job: Job): string {
  return `${job.metadata.namespace}/${planNameOf(job)}`;
}

/** The order in which runs of a plan take their turns: as they were scheduled or, if launched by hand, made. */
export function inTurn(a: Job, b: Job): number {
  return timeOf(a) - timeOf(b) || a.metadata.name.localeCompare(b.metadata.name);
}

/** A run may be made before its time, or long after it. */
function timeOf(job: Job): number {
  return scheduledAt(job) ?? Date.parse(job.metadata.creationTimestamp ?? '');
}

function concurrencyOf({ metadata }: Job): Concurrency {
  const said = objectIn(metadata.annotations?.[annotations.concurrency]);
  if (said.policy === 'Forbid' || said.policy === 'Replace') return { policy: said.policy };
  if (said.policy === 'Queue' && typeof said.max === 'number') return { policy: 'Queue', max: said.max };
  return { policy: 'Allow' };
}

function closedAt({ metadata }: Job, time: number): { readonly reason: SkipReason; readonly why: string } | undefined {
  const given = metadata.annotations ?? {};
  const { from, to } = objectIn(given[annotations.between]);
  const paused = given[annotations.pausedUntil];
  if (paused !== undefined && time < Date.parse(paused))
    return { reason: 'PlanPaused', why: `the plan is paused until ${paused}` };
  if (typeof from === 'string' && time < Date.parse(from))
    return { reason: 'OutsideDates', why: `the plan fires from ${from} on` };
  if (typeof to === 'string' && time >= Date.parse(to))
    return { reason: 'OutsideDates', why: `the plan fired until ${to}` };
  return undefined;
}

function objectIn(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
