import { forsakenBy } from './edges.ts';
import type { StepKind } from './kinds.ts';
import type { Ledger } from './ledger.ts';
import { ended, isFinal, liveAttempt, withLastAttempt, type StepEnd } from './phases.ts';
import type { AttemptRecord, StepRecord } from './record.ts';
import { isEnding } from './run-state.ts';
import { isUp } from './services.ts';
import { taskStep } from './task-step.ts';
import type { Sighting, Turn } from './turn.ts';

const { start, stop, repeat } = taskStep.attempts!;

/**
 * A step that stays up while the steps that need it run: they may once it is ready, and it is stopped when they have ended. Its
 * attempts are those of a task, but that an end which nobody asked for is a failure, whatever the exit code.
 */
export const serviceStep: StepKind = { ...taskStep, stir, attempts: { start, observe, stop, repeat } };

/** Ends a service that nothing needs any more. */
function stir(turn: Turn, index: number): void {
  const { ledger, now } = turn;
  const record = ledger.of(index);
  if (isFinal(record.phase) || isNeeded(turn, index)) return;
  if (record.phase === 'Running') stop(turn, index, 'ServiceStopped');
  // One that has not begun waits for its turn to be told why it does not.
  else if (!ledger.services.isNeeded(index, false))
    ledger.put(index, ended(record, record.attempts.length === 0 ? notNeeded : stopped, now));
}

function isNeeded({ ledger, state }: Turn, index: number): boolean {
  return ledger.services.isNeeded(index, isEnding(state));
}

const notNeeded: StepEnd = {
  phase: 'Skipped',
  reason: 'ServiceNotNeeded',
  message: 'the steps that depend on it ended before it began',
};
const stopped: StepEnd = { phase: 'Succeeded', reason: 'ServiceStopped' };

function observe(turn: Turn, sighting: Sighting): void {
  const { index, state } = sighting;
  if (state.kind !== 'succeeded' && state.kind !== 'failed') {
    taskStep.attempts!.observe(turn, sighting);
    if (state.kind === 'running' && state.host !== undefined) sawReady(turn, index, state.host);
    return;
  }
  const attempt = liveAttempt(turn.ledger.of(index));
  if (attempt !== undefined && isStopped(turn, index, attempt))
    return sawStopped(turn, index, attempt, state.finishedAt);
  // Whoever comes later has to ask anew where it is.
  const { outputs: _, ...record } = turn.ledger.of(index);
  turn.ledger.put(index, record);
  taskStep.attempts!.observe(turn, state.kind === 'failed' ? sighting : { ...sighting, state: endedByItself(state) });
}

function sawReady({ ledger }: Turn, index: number, host: string): void {
  const record = ledger.of(index);
  if (isUp(record) || liveAttempt(record)?.stopping !== undefined) return;
  ledger.put(index, { ...record, reason: 'ServiceReady', outputs: { host } });
}

/** Somebody may have stopped it who did not live to write it down. */
function isStopped(turn: Turn, index: number, { stopping }: AttemptRecord): boolean {
  return stopping === 'ServiceStopped' || (stopping === undefined && !isNeeded(turn, index));
}

function sawStopped({ ledger, now }: Turn, index: number, attempt: AttemptRecord, finishedAt: number): void {
  const record = ledger.of(index);
  const from = attempt.startedAt ?? attempt.createdAt;
  const over = Math.max(from, Math.min(Math.trunc(finishedAt), now));
  const { message: _, ...last } = attempt;
  const attempts = withLastAttempt(record, { ...last, ...stoppedAttempt, finishedAt: over });
  ledger.put(index, ended({ ...record, attempts }, stopped, over));
}

const stoppedAttempt = { phase: 'Succeeded', reason: 'ServiceStopped' } as const;

type Succeeded = Extract<Sighting['state'], { readonly kind: 'succeeded' }>;

function endedByItself({ startedAt, finishedAt }: Succeeded): Sighting['state'] {
  return {
    kind: 'failed',
    failure: 'user',
    reason: 'ServiceEnded',
    message: 'it ended by itself, with exit code 0, before it was stopped',
    exitCode: 0,
    finishedAt,
    ...(startedAt !== undefined && { startedAt }),
  };
}

/** The record of a step that may not start since a service that it needs is down. */
export function heldBack(ledger: Ledger, index: number): StepRecord {
  const { services } = ledger.step(ledger.items.mapOf(index) ?? index);
  const down = services.find((service) => !isUp(ledger.of(service)))!;
  const { name } = ledger.step(down).node;
  return { ...ledger.of(index), reason: 'ServiceNotReady', message: `waits for service ${name}, which is not ready` };
}

/** What becomes of a step that waits when a service that it needs has ended. It goes on without it if it can, as does who waits for an answer. */
export function forsake({ ledger, now }: Turn, index: number): void {
  const record = ledger.of(index);
  const blocked =
    record.phase === 'Waiting' && ledger.step(index).node.kind !== 'gate' ? forsakenBy(ledger, index) : undefined;
  if (blocked !== undefined) ledger.put(index, ended(record, endOfForsaken(record, blocked), now));
}

function endOfForsaken({ attempts }: StepRecord, blocked: StepEnd): StepEnd {
  const last = attempts.at(-1);
  if (last === undefined) return blocked;
  return {
    phase: 'Failed',
    reason: last.reason,
    message: `${last.message ?? last.reason}; not retried: ${blocked.message}`,
  };
}
