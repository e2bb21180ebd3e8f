import { evaluateCondition } from './conditions.ts';
import { blockedBy } from './edges.ts';
import type { StepRecord } from './record.ts';
import { scopeOf } from './scope.ts';
import type { Turn } from './turn.ts';
import { waitingReason } from './waiting.ts';

/**
 * What becomes of a step now that all its upstreams have ended: it is ready, or it ends without having run.
 * `exists`: an attempt of it was seen, so that it was ready once, whatever has happened to the run since.
 */
export function decide(turn: Turn, index: number, exists: boolean): void {
  turn.ledger.put(index, decision(turn, index, exists));
}

function decision(turn: Turn, index: number, exists: boolean): StepRecord {
  const { now, spec, ledger } = turn;
  const step = ledger.step(index);
  const end = { attempts: [], finishedAt: now } as const;
  const blocked = blockedBy(step, ledger.topology, (upstream) => ledger.of(upstream));
  if (blocked !== undefined) return { ...blocked, ...end };
  if (turn.ending && !exists) return { ...runFailing, ...end };
  const { when } = step.node;
  if (when !== undefined) {
    const schemas = new Map(when.steps.map((name) => [name, ledger.topology.byName.get(name)?.node.outputs]));
    const result = evaluateCondition(when, ledger.topology.graph, schemas, scopeOf(turn));
    if ('error' in result) return { phase: 'Failed', reason: 'ConditionError', message: result.error, ...end };
    if (!result.holds) return { phase: 'Skipped', reason: 'WhenFalse', message: `${when.cel} is false`, ...end };
  }
  return { phase: 'Waiting', reason: waitingReason(spec), attempts: [], readyAt: now };
}

/** The end of a step that could have run, had not another one failed. */
export const runFailing = {
  phase: 'Skipped',
  reason: 'RunFailing',
  message: 'another step failed before it could start',
} as const;
