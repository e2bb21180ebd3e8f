import type { Ledger } from './ledger.ts';
import type { Instant, RunState, StepRecord } from './record.ts';
import { resolveAll } from './resolve.ts';
import { scopeOf } from './scope.ts';
import type { Turn } from './turn.ts';

/** The end of a run whose steps have all ended. */
export function endOf(turn: Turn, state: RunState): RunState {
  const finishedAt: Instant = Math.max(turn.now, state.startedAt);
  const { ledger } = turn;
  if (state.reason === 'CancelRequested') {
    const failed = ledger.count('Failed') > 0 ? `; ${failureSentence(ledger)}` : '';
    return { ...state, phase: 'Cancelled', message: `${state.message}${failed}`, finishedAt };
  }
  if (state.reason === 'RunTimeout') return { ...state, phase: 'Failed', finishedAt };
  if (ledger.failures > 0)
    return { ...state, phase: 'Failed', reason: 'StepFailed', message: failureSentence(ledger), finishedAt };
  const outputs = resolveAll(ledger.topology.graph.outputs, scopeOf(turn));
  const { message: _, ...rest } = state;
  return { ...rest, phase: 'Succeeded', reason: 'Completed', finishedAt, outputs };
}

const NAMED = 5;

/** Which steps failed and why, the first ones by name: `2 of 7 steps failed: load (exit code 3), train (OOMKilled: exit code 137)`. */
export function failureSentence(ledger: Ledger): string {
  const failed = ledger.topology.steps.filter(({ index }) => ledger.isFailure(index));
  const named = failed.slice(0, NAMED).map(({ index, node }) => {
    return `${node.name} (${failureOf(ledger.of(index))})`;
  });
  const more = failed.length > NAMED ? ` and ${failed.length - NAMED} more` : '';
  return `${failed.length} of ${ledger.topology.steps.length} steps failed: ${named.join(', ')}${more}`;
}

/** Why a step failed, in a few words. */
export function failureOf({ reason, message }: StepRecord): string {
  if (message === undefined) return reason;
  return reason === 'ExitCode' ? message : `${reason}: ${message}`;
}
