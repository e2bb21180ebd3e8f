import type { StepNode, TaskStep } from '../graph/graph.ts';
import type { StepJob } from '../pods/job-template.ts';
import { withMainResources } from '../pods/main-resources.ts';
import type { JsonObject } from '../values/json.ts';
import type { AttemptState } from './advance.ts';
import { keepResult, lookUp, mayTakeResult, resultLock } from './cache.ts';
import { forsakenBy } from './edges.ts';
import { indexedItems } from './indexed-items.ts';
import type { StepKind } from './kinds.ts';
import { resolveLocks } from './resolve-locks.ts';
import { readOutputs } from './outputs.ts';
import { ended, liveAttempt, withLastAttempt, type StepEnd } from './phases.ts';
import type { AttemptRecord, FailureKind, Instant, StepRecord } from './record.ts';
import type { StepReason } from './reasons.ts';
import { resolve, resolveAll } from './resolve.ts';
import {
  isLastChance,
  nextAttempt,
  resourcesAfterOOM,
  retriesEndAt,
  retriesOver,
  type NextAttempt,
} from './retries.ts';
import { isTooLate } from './run-state.ts';
import { scopeOfStep } from './scope.ts';
import { attemptTimeout, isAttemptTimeout, isTimeout, stepTimeoutAt, timedOut } from './timeouts.ts';
import type { Sighting, Turn } from './turn.ts';
import { waitingReason } from './waiting.ts';

/** A step that runs something to its end, again if it failed: a container, or a run of its own. What it is, is the shell's business. */
export const taskStep: StepKind = { ready, expire, due, attempts: { start, observe, stop, repeat } };

function ready(turn: Turn, index: number): StepRecord {
  const { spec, now } = turn;
  const begun = { attempts: [], readyAt: now } as const;
  const own = resolveLocks(taskAt(turn, index), scopeOfStep(turn, index));
  if ('problem' in own)
    return { ...begun, phase: 'Failed', reason: 'LockError', message: own.problem, finishedAt: now };
  const asks = mayTakeResult(turn, index);
  if (asks) lookUp(turn, index);
  const shared = resultLock(turn, index);
  const locks = [...(own.locks ?? []), ...(shared ? [shared] : [])];
  const reason = asks ? 'CheckingCache' : waitingReason(spec);
  return { ...begun, phase: 'Waiting', reason, ...(locks.length > 0 && { locks }) };
}

function start(turn: Turn, index: number): void {
  const record = turn.ledger.of(index);
  const attempt = (record.attempts.at(-1)?.number ?? 0) + 1;
  // Whoever had the lock before may have left the result.
  if (attempt === 1 && record.phase === 'Waiting' && record.locks?.some(({ scope }) => scope === 'result')) {
    turn.ledger.put(index, { ...record, phase: 'Running', reason: 'CheckingCache', message: undefined });
    return lookUp(turn, index);
  }
  addAttempt(turn, index, attempt, turn.now);
  commandStart(turn, index, attempt);
}

// Every attempt has the same inputs: the upstreams have ended. Its pod depends on what became of those before it.
function commandStart(turn: Turn, index: number, attempt: number): void {
  const node = taskAt(turn, index);
  const scope = scopeOfStep(turn, index);
  const inputs = resolveAll(node.inputs, scope);
  // A step that the platform took away so often ends where it cannot: on nodes that stay.
  const { attempts } = turn.ledger.of(index);
  const stays = isLastChance(node, attempts);
  const source = stays ? node.pod : (node.spot ?? node.pod);
  const values = source && (resolve(source, scope) as JsonObject);
  const resources = resourcesAfterOOM(node, attempts);
  const pod = resources === undefined ? values : withMainResources(values ?? {}, resources);
  const job = node.job && (resolve(node.job, scope) as StepJob);
  const items = indexedItems(turn, index);
  const spot = node.runSpot === true && !stays && { spot: true as const };
  const more = { ...(pod && { pod }), ...spot, ...(job && { job }), ...(items && { items }) };
  turn.commands.push({ kind: 'start', step: node.name, attempt, inputs, ...more });
}

function addAttempt(turn: Turn, index: number, number: number, createdAt: Instant): void {
  const { retryAt: _, message: __, ...record } = turn.ledger.of(index);
  const attempt: AttemptRecord = { number, phase: 'Running', reason: 'Created', createdAt };
  const attempts = [...record.attempts, attempt];
  const readyAt = Math.min(record.readyAt ?? createdAt, createdAt);
  turn.ledger.put(index, { ...record, phase: 'Running', reason: 'Created', attempts, readyAt });
}

function observe(turn: Turn, { index, attempt: number, state }: Sighting): void {
  // It was created by somebody who did not live to write it down.
  const { phase, reason } = turn.ledger.of(index);
  if (state.kind === 'unseen') return lostSight(turn, index, state.message);
  if (phase === 'Waiting' || reason === 'CheckingCache')
    addAttempt(turn, index, number, Math.min(turn.now, earliest(state) ?? turn.now));
  const attempt = liveAttempt(turn.ledger.of(index))!;
  if (state.kind === 'pending') sawPending(turn, index, attempt, state.message);
  else if (state.kind === 'running') sawRunning(turn, index, attempt, state);
  else sawEnd(turn, index, attempt, state);
}

function earliest(state: AttemptState): Instant | undefined {
  if (state.kind === 'pending' || state.kind === 'unseen') return undefined;
  return state.kind === 'running' ? state.startedAt : (state.startedAt ?? state.finishedAt);
}

function sawPending(turn: Turn, index: number, attempt: AttemptRecord, message: string | undefined): void {
  // A pod does not go back to pending: this one was seen later than it was.
  if (attempt.startedAt !== undefined) return;
  const reason = turn.ledger.step(index).node.kind === 'run' ? 'RunPending' : 'PodPending';
  if (attempt.reason === reason && attempt.message === message) return;
  putLive(turn, index, { ...attempt, reason, message });
}

function sawRunning(
  turn: Turn,
  index: number,
  attempt: AttemptRecord,
  state: AttemptState & { readonly kind: 'running' },
): void {
  if (attempt.startedAt !== undefined && attempt.message === state.message) return;
  const { message: _, ...rest } = attempt;
  const reason = runningReasons[turn.ledger.step(index).node.kind] ?? 'ContainerRunning';
  const startedAt = attempt.startedAt ?? startOf(turn, attempt, state.startedAt);
  putLive(turn, index, { ...rest, reason, startedAt, ...(state.message !== undefined && { message: state.message }) });
}

const runningReasons: { readonly [Kind in StepNode['kind']]?: StepReason } = {
  run: 'RunRunning',
  indexedMap: 'ItemsRunning',
};

function lostSight(turn: Turn, index: number, message: string): void {
  const attempt = liveAttempt(turn.ledger.of(index));
  if (attempt !== undefined && attempt.message !== message) putLive(turn, index, { ...attempt, message });
}

/** Replaces the live attempt; the step shows its reason, or that it is being stopped. */
function putLive(turn: Turn, index: number, attempt: AttemptRecord): void {
  const record = turn.ledger.of(index);
  const isRun = turn.ledger.step(index).node.kind === 'run';
  const why = isRun && attempt.message !== undefined ? `; ${attempt.message}` : '';
  const { reason, message } =
    attempt.stopping === undefined
      ? attempt
      : { reason: 'Stopping' as const, message: `its end was asked for (${attempt.stopping})${why}` };
  turn.ledger.put(index, { ...record, phase: 'Running', reason, message, attempts: withLastAttempt(record, attempt) });
}

function sawEnd(
  turn: Turn,
  index: number,
  attempt: AttemptRecord,
  state: AttemptState & { kind: 'succeeded' | 'failed' },
): void {
  const startedAt =
    attempt.startedAt ?? (state.startedAt === undefined ? undefined : startOf(turn, attempt, state.startedAt));
  const from = startedAt ?? attempt.createdAt;
  // The node's clock is not ours: an attempt does not end before it began, nor later than now.
  const over = { ...attempt, startedAt, finishedAt: Math.max(from, Math.min(Math.trunc(state.finishedAt), turn.now)) };
  if (state.kind === 'failed') return failed(turn, index, over, state);
  const { outputs } = turn.ledger.step(index).node;
  const read = state.read ? { outputs: outputs && state.read } : readOutputs(outputs, state.outputs);
  if ('reason' in read) return failed(turn, index, over, { failure: 'user', ...read });
  // Also when its end was asked for: the work is done, and saying otherwise would have it done again.
  const done: AttemptRecord = { ...over, phase: 'Succeeded', reason: 'Completed', message: undefined };
  const message = state.message !== undefined && { message: state.message };
  settle(turn, index, { phase: 'Succeeded', reason: 'Completed', outputs: read.outputs, ...message }, done);
  keepResult(turn, index, read.outputs, over.finishedAt);
}

interface Failure {
  readonly failure: FailureKind;
  readonly reason: StepReason;
  readonly message?: string;
  readonly exitCode?: number;
}

function failed(turn: Turn, index: number, over: AttemptRecord, { failure, reason, message, exitCode }: Failure): void {
  const node = taskAt(turn, index);
  const asked = over.stopping;
  if (asked !== undefined && !isTimeout(asked)) {
    const cancelled: AttemptRecord = { ...over, phase: 'Cancelled', reason: asked, message, exitCode };
    return settle(
      turn,
      index,
      { phase: 'Cancelled', reason: asked, message: 'it was stopped while it ran' },
      cancelled,
    );
  }
  const said = message ?? (exitCode === undefined ? undefined : `exit code ${exitCode}`);
  const why = asked === undefined ? { failure, reason, message: said } : timedOut(node, asked, over);
  const attempt: AttemptRecord = { ...over, phase: 'Failed', ...why, exitCode };
  const attempts = withLastAttempt(turn.ledger.of(index), attempt);
  const isLast = isTooLate(turn.state, node) || asked === 'StepTimeout';
  const forsaken = forsakenBy(turn.ledger, index);
  const next = forsaken ? { refused: `not retried: ${forsaken.message}` } : nextAttempt(turn.spec.name, node, attempts);
  const { retry, refused }: NextAttempt = isLast ? {} : next;
  if (retry === undefined) return settle(turn, index, endOfTries(attempts, refused), attempt);
  // A wait that is over already ends within the same turn, by its timer.
  const retryAt = attempt.finishedAt! + retry.wait;
  turn.ledger.put(index, {
    ...turn.ledger.of(index),
    phase: 'Waiting',
    reason: 'Backoff',
    message: `retry ${retry.number} of ${retry.limit} after: ${why.message ?? why.reason}`,
    attempts,
    retryAt,
  });
}

/** How a step ends that is not tried again: as its last attempt did. */
function endOfTries(attempts: readonly AttemptRecord[], refused: string | undefined): StepEnd {
  const { reason, message = reason } = attempts.at(-1)!;
  const tries = attempts.length === 1 ? message : `${message} (${attempts.length} attempts)`;
  return { phase: 'Failed', reason, message: refused === undefined ? tries : `${tries}; ${refused}` };
}

/** Ends the step together with its last attempt. */
function settle(turn: Turn, index: number, end: StepEnd, last: AttemptRecord): void {
  const record = turn.ledger.of(index);
  turn.ledger.put(index, ended({ ...record, attempts: withLastAttempt(record, last) }, end, last.finishedAt!));
}

function stop(turn: Turn, index: number, reason: StepReason): void {
  const record = turn.ledger.of(index);
  if (record.reason === 'CheckingCache')
    return turn.ledger.put(index, ended(record, endBeforeRun(turn, index, reason), turn.now));
  const attempt = liveAttempt(record);
  if (attempt === undefined || attempt.stopping === reason) return;
  // A stop that ends the step for good takes the place of a timeout; of two of them the first holds.
  if (attempt.stopping !== undefined && (!isTimeout(attempt.stopping) || isAttemptTimeout(reason))) return;
  putLive(turn, index, { ...attempt, stopping: reason });
  if (attempt.stopping === undefined)
    turn.commands.push({ kind: 'stop', step: turn.ledger.step(index).node.name, attempt: attempt.number, reason });
}

function endBeforeRun(turn: Turn, index: number, reason: StepReason): StepEnd {
  if (!isTimeout(reason)) return { phase: 'Cancelled', reason, message: 'it was stopped before it ran' };
  return { phase: 'Failed', reason, message: timedOut(taskAt(turn, index), reason).message };
}

function repeat(turn: Turn, index: number): void {
  const record = turn.ledger.of(index);
  if (record.reason === 'CheckingCache') return lookUp(turn, index);
  const attempt = liveAttempt(record);
  const node = turn.ledger.step(index).node;
  if (attempt?.stopping !== undefined)
    turn.commands.push({ kind: 'stop', step: node.name, attempt: attempt.number, reason: attempt.stopping });
  else if (attempt?.reason === 'Created') commandStart(turn, index, attempt.number);
}

function expire(turn: Turn, index: number): void {
  const record = turn.ledger.of(index);
  const node = taskAt(turn, index);
  const stepTimeout = stepTimeoutAt(node, record);
  if (stepTimeout !== undefined && stepTimeout <= turn.now) {
    if (record.phase === 'Running') return stop(turn, index, 'StepTimeout');
    const { failure: _, ...end } = timedOut(node, 'StepTimeout');
    return turn.ledger.put(index, ended(record, { ...end, phase: 'Failed' }, turn.now));
  }
  const slow = attemptTimeout(node, record);
  if (slow !== undefined) return stop(turn, index, slow.reason);
  const retriesEnd = retriesEndAt(node, record.attempts);
  if (retriesEnd !== undefined && retriesEnd <= turn.now)
    return turn.ledger.put(index, ended(record, endOfTries(record.attempts, retriesOver(node)), turn.now));
  turn.ledger.put(index, { ...record, reason: waitingReason(turn.spec) });
}

function due(node: TaskStep, record: StepRecord): Instant | undefined {
  if (record.phase !== 'Waiting' && record.phase !== 'Running') return undefined;
  if (record.phase === 'Running') return least([stepTimeoutAt(node, record), attemptTimeout(node, record)?.at]);
  const retryAt = record.reason === 'Backoff' ? record.retryAt : undefined;
  return least([retryAt, stepTimeoutAt(node, record), retriesEndAt(node, record.attempts)]);
}

function least(times: readonly (Instant | undefined)[]): Instant | undefined {
  return times.reduce(
    (least, time) => (time !== undefined && (least === undefined || time < least) ? time : least),
    undefined,
  );
}

/** A start as the node's clock told it, within what is possible: after we asked for it, and not in the future. */
function startOf(turn: Turn, attempt: AttemptRecord, startedAt: Instant): Instant {
  return Math.max(attempt.createdAt, Math.min(Math.trunc(startedAt), turn.now));
}

const taskAt = (turn: Turn, index: number) => turn.ledger.step(index).node as TaskStep;
