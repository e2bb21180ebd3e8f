import { RETRY_FOR_SECONDS, type NotificationEvent, type WireNotification } from '../../graph/notifications.ts';
import type { RunEnd, RunFacts } from './run-facts.ts';

/** What is to be told of a run, and when. Pure: it follows from what the Jobs of the plan say and from the time alone. What is told of a plan that makes no run is in `late-rules.ts`. */

/** Something that is to be told. */
export interface Due {
  /** Name of the notification. */
  readonly notification: string;
  readonly event: NotificationEvent;
  /** When it happened, in milliseconds since the epoch. */
  readonly at: number;
  /** Until when it is tried. */
  readonly until: number;
}

/** What there is to be told of a run at a time. */
export interface DueNow {
  readonly due: readonly Due[];
  /** When to look again although nothing else happens. */
  readonly next?: number;
}

/** A finished run among others of its plan. */
export interface PastRun {
  readonly uid: string;
  readonly end: Pick<RunEnd, 'phase' | 'at'>;
  /** Which of those that were seen to end it was: Kubernetes' times have whole seconds. */
  readonly seen: number;
  /** What was written down of those before it. */
  readonly failuresBefore?: number;
}

/**
 * All that has happened to a run that somebody wants to be told of.
 *
 * @param failuresBefore how many runs of its plan failed in a row just before it ended
 */
export function dueNow(
  run: RunFacts,
  failuresBefore: number,
  notifications: Readonly<Record<string, WireNotification>>,
  now: number,
): DueNow {
  const all = Object.entries(notifications).flatMap(([notification, wanted]) => {
    const until = (at: number) => at + (wanted.retryForSeconds ?? RETRY_FOR_SECONDS) * 1000;
    return happenings(run, failuresBefore, wanted).map(({ event, at }) => ({
      notification,
      event,
      at,
      until: until(at),
    }));
  });
  const ahead = all.map(({ at }) => at).filter((at) => at > now);
  return {
    // Who comes back after days tells of no old times.
    due: all.filter(({ at, until }) => at <= now && now < until),
    ...(ahead.length > 0 && { next: Math.min(...ahead) }),
  };
}

interface Happening {
  readonly event: NotificationEvent;
  readonly at: number;
}

/** What happened, or will happen unless the run begins or ends before. */
function happenings(run: RunFacts, failuresBefore: number, wanted: WireNotification): readonly Happening[] {
  const { lateAfterSeconds, longAfterSeconds } = wanted;
  const found: Happening[] = [];
  if (lateAfterSeconds !== undefined && run.dueAt !== undefined) {
    const at = run.dueAt + lateAfterSeconds * 1000;
    if ((run.startedAt ?? run.end?.at ?? Infinity) >= at) found.push({ event: 'late', at });
  }
  if (longAfterSeconds !== undefined && run.startedAt !== undefined) {
    const at = run.startedAt + longAfterSeconds * 1000;
    if ((run.end?.at ?? Infinity) >= at) found.push({ event: 'runningLong', at });
  }
  if (run.end === undefined) return found;
  const { at } = run.end;
  for (const event of wanted.on) if (isSo(event, run.end, failuresBefore, wanted)) found.push({ event, at });
  return found;
}

function isSo(
  event: WireNotification['on'][number],
  { phase, reason }: RunEnd,
  failuresBefore: number,
  { reasons, consecutiveFailures = 1 }: WireNotification,
): boolean {
  switch (event) {
    case 'succeeded':
      return phase === 'Succeeded';
    case 'cancelled':
      return phase === 'Cancelled';
    case 'failed':
      return phase === 'Failed' && (reasons?.includes(reason) ?? true) && failuresBefore + 1 >= consecutiveFailures;
    case 'recovered':
      return phase === 'Succeeded' && failuresBefore >= Math.max(1, consecutiveFailures);
  }
}

/** How many runs failed in a row just before one ended. One that was cancelled says nothing of the plan and is passed over. */
export function failuresBefore(run: PastRun, others: Iterable<PastRun>): number {
  const before = [...others]
    .filter((other) => other.uid !== run.uid && other.end.phase !== 'Cancelled' && inOrder(other, run) < 0)
    .sort((a, b) => inOrder(b, a));
  for (const [failed, { end, failuresBefore: known }] of before.entries()) {
    if (end.phase === 'Succeeded') return failed;
    if (known !== undefined) return failed + 1 + known;
  }
  return before.length;
}

/** Whether what is told of a run hangs on how those before it ended. */
export function asksForHistory(notifications: Readonly<Record<string, WireNotification>>): boolean {
  return Object.values(notifications).some(
    ({ on, consecutiveFailures = 1 }) => on.includes('recovered') || consecutiveFailures > 1,
  );
}

/** As they ended. */
function inOrder(a: PastRun, b: PastRun): number {
  return a.end.at - b.end.at || a.seen - b.seen;
}
