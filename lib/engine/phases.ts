import type { Ending } from '../graph/graph.ts';
import { parseItemName } from '../graph/items.ts';
import type { AttemptState } from './advance.ts';
import type { AttemptRecord, Instant, RunRecord, StepPhase, StepRecord } from './record.ts';
import type { StepReason } from './reasons.ts';

/** Whether a step that reached this phase is done with. */
export function isFinal(phase: StepPhase): boolean {
  return phase === 'Succeeded' || phase === 'Failed' || phase === 'Skipped' || phase === 'Cancelled';
}

/** Whether an attempt in this state goes on. */
export function isLive({ kind }: AttemptState): boolean {
  return kind === 'pending' || kind === 'running';
}

/** How a step in this phase ended, as conditions ask for it. */
export function endingOf(phase: StepPhase): Exclude<Ending, 'finished'> | undefined {
  return isFinal(phase) ? (phase.toLowerCase() as Exclude<Ending, 'finished'>) : undefined;
}

/** What holds for a step that nothing happened to yet. */
export const untouched: StepRecord = { phase: 'Pending', reason: 'WaitingForUpstreams', attempts: [] };

/** The attempt whose end was not observed yet. A step has at most one, and it is the last. */
export function liveAttempt(record: StepRecord): AttemptRecord | undefined {
  const last = record.attempts.at(-1);
  return last?.phase === 'Running' ? last : undefined;
}

/** The record of a step, or of an item of a map step, by its name. */
export function stepRecord(record: RunRecord | undefined, name: string): StepRecord | undefined {
  const { map = '', item = 0 } = parseItemName(name) ?? {};
  return record?.steps.get(name) ?? record?.items?.get(map)?.[item];
}

/** When a step began to run: its first attempt, or the first of its items. Nothing for one that did not. */
export function begunAt({ attempts, items, readyAt }: StepRecord): Instant | undefined {
  const [first] = attempts;
  return first === undefined ? items && readyAt : (first.startedAt ?? first.createdAt);
}

/** Whether a step waits for a lock, or for room that its run does not decide on. */
export function isHeldUp({ phase, reason }: StepRecord): boolean {
  return phase === 'Waiting' && obstacles.has(reason);
}

const obstacles: ReadonlySet<StepReason> = new Set([
  'WaitingForLock',
  'WaitingForResult',
  'NamespaceLimit',
  'ControllerLimit',
]);

/** The record with its last attempt replaced. */
export function withLastAttempt(record: StepRecord, attempt: AttemptRecord): readonly AttemptRecord[] {
  return [...record.attempts.slice(0, -1), attempt];
}

/** The record of a step that ends now; a step does not end before it was ready, whatever the clock does. */
export function ended(record: StepRecord, end: StepEnd, finishedAt: Instant): StepRecord {
  const { retryAt: _, until: __, message: ___, locks: ____, ...rest } = record;
  return { ...rest, ...end, finishedAt: Math.max(finishedAt, record.readyAt ?? finishedAt) };
}

/** What the end of a step says. */
export type StepEnd = Pick<StepRecord, 'phase' | 'reason' | 'message' | 'outputs'>;
