import type { StepNode } from '../graph/graph.ts';
import type { CancelMode } from '../graph/labels.ts';
import { runFailing } from './decide.ts';
import { kindOf } from './kinds.ts';
import { ended, isFinal, type StepEnd } from './phases.ts';
import type { RunState, StepRecord } from './record.ts';
import type { StepReason } from './reasons.ts';
import { isBeingStopped } from './run-state.ts';
import { failureSentence } from './run-end.ts';
import type { Turn } from './turn.ts';

/**
 * Ends a run early where it is time to, and returns its new state. What was begun here is not taken back: neither by
 * taking back the request, nor by a longer timeout. Between a cancellation and the run's timeout the first holds;
 * either holds over a failed step.
 */
export function endEarly(turn: Turn, state: RunState): RunState {
  if (turn.ledger.allFinal) return state;
  let next = cancel(turn, state);
  next = timeOut(turn, next);
  return fail(turn, next);
}

// A run that is being stopped is not drained: what was asked only grows.
const strength: readonly (CancelMode | undefined)[] = [undefined, 'Drain', 'RunFinally', 'Now'];

function cancel(turn: Turn, state: RunState): RunState {
  const asked = turn.spec.cancel;
  if (asked === undefined || strength.indexOf(asked) <= strength.indexOf(state.cancel)) return state;
  if (asked !== 'Now' && (turn.ledger.open('main') === 0 || state.reason === 'RunTimeout')) return state;
  const those = asked === 'Now' ? everyStep : mainSteps;
  if (asked !== 'Drain') stopLive(turn, 'CancelRequested', those);
  cancelRest(turn, 'CancelRequested', 'the run was cancelled', those);
  if (state.reason === 'RunTimeout') return { ...state, cancel: asked };
  return { ...state, reason: 'CancelRequested', cancel: asked, message: `cancelled on request (${asked})` };
}

/** When the run's time is up. Steps that run at its end have timeouts of their own. */
export function runTimeoutAt({ spec, ledger }: Pick<Turn, 'spec' | 'ledger'>, state: RunState): number | undefined {
  if (spec.timeoutSeconds === undefined || state.reason === 'RunTimeout' || ledger.open('main') === 0) return undefined;
  if (state.cancel !== undefined && state.cancel !== 'Drain') return undefined;
  return state.startedAt + spec.timeoutSeconds * 1000;
}

function timeOut(turn: Turn, state: RunState): RunState {
  const at = runTimeoutAt(turn, state);
  if (at === undefined || at > turn.now) return state;
  stopLive(turn, 'RunTimeout', mainSteps);
  // A run that is drained is cancelled already; its time is up all the same.
  if (state.cancel !== undefined) return { ...state, cancel: 'RunFinally' };
  const message = `no end in ${turn.spec.timeoutSeconds} s (run timeout)`;
  cancelRest(turn, 'RunTimeout', message, mainSteps);
  return { ...state, reason: 'RunTimeout', message };
}

function fail(turn: Turn, state: RunState): RunState {
  const { ledger } = turn;
  const policy = ledger.topology.graph.failurePolicy;
  if (ledger.failures === 0 || policy === 'RunIndependent' || isBeingStopped(state)) return state;
  if (policy === 'CancelRunning') stopLive(turn, 'FailurePolicy', mainSteps);
  for (const index of sorted(ledger.waiting)) {
    if (!mainSteps(ledger.step(index).node)) continue;
    const record = ledger.of(index);
    ledger.put(index, ended(record, endOfWaiting(record, policy === 'CancelRunning'), turn.now));
  }
  return state.reason === 'StepFailed' ? state : { ...state, reason: 'StepFailed', message: failureSentence(ledger) };
}

/** A step that had its first attempt has run: it ends as that attempt did, or as one that was stopped. */
function endOfWaiting(record: StepRecord, stops: boolean): StepEnd {
  const last = record.attempts.at(-1);
  if (last === undefined) return runFailing;
  if (stops) return { phase: 'Cancelled', reason: 'FailurePolicy', message: 'another step failed before its retry' };
  return {
    phase: 'Failed',
    reason: last.reason,
    message: `${last.message ?? last.reason}; not retried since another step failed`,
  };
}

type Choice = (node: StepNode) => boolean;
const mainSteps: Choice = ({ role }) => role === undefined;
const everyStep: Choice = () => true;

function stopLive(turn: Turn, reason: StepReason, those: Choice): void {
  for (const index of sorted(turn.ledger.live)) {
    const { node } = turn.ledger.step(index);
    if (those(node)) kindOf(node).attempts?.stop(turn, index, reason);
  }
}

function cancelRest({ now, ledger }: Turn, reason: StepReason, message: string, those: Choice): void {
  for (const { index, node } of ledger.topology.steps) {
    const record = ledger.of(index);
    if (isFinal(record.phase) || record.phase === 'Running' || !those(node)) continue;
    ledger.put(index, ended(record, { phase: 'Cancelled', reason, message }, now));
  }
}

const sorted = (indexes: Iterable<number>) => [...indexes].sort((a, b) => a - b);
