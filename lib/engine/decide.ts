import { conditionText } from '../graph/end-condition.ts';
import type { TopologyStep } from '../graph/topology.ts';
import { evaluateCondition } from './conditions.ts';
import { blockedBy } from './edges.ts';
import { kindOf } from './kinds.ts';
import { isFinal, type StepEnd } from './phases.ts';
import type { StepRecord } from './record.ts';
import { isTooLate } from './run-state.ts';
import { scopeOf } from './scope.ts';
import type { Turn } from './turn.ts';

/**
 * What becomes of a step now that all it waits for is decided: it is ready, or it ends without having run.
 * `exists`: an attempt of it was seen, so that it was ready once, whatever has happened to the run since.
 */
export function decide(turn: Turn, index: number, exists: boolean): void {
  turn.ledger.put(index, decision(turn, index, exists));
}

function decision(turn: Turn, index: number, exists: boolean): StepRecord {
  const { now, ledger } = turn;
  const step = ledger.step(index);
  const end = { attempts: [], finishedAt: now } as const;
  const blocked = blockedBy(step, ledger.topology, (upstream) => ledger.of(upstream));
  if (blocked !== undefined) return { ...blocked, ...end };
  if (!ledger.holds(index)) return { ...afterFalse(turn, step), ...end };
  if (step.node.role === 'onFailure' && !hasFailed(turn)) return { ...noFailure, ...end };
  if (isTooLate(turn.state, step.node) && !exists) return { ...runFailing, ...end };
  const { when } = step.node;
  if (when !== undefined) {
    const schemas = new Map(when.steps.map((name) => [name, ledger.topology.byName.get(name)?.node.outputs]));
    const result = evaluateCondition(when, ledger.topology.graph, schemas, scopeOf(turn));
    if ('error' in result) return { phase: 'Failed', reason: 'ConditionError', message: result.error, ...end };
    if (!result.holds) return { phase: 'Skipped', reason: 'WhenFalse', message: `${when.cel} is false`, ...end };
  }
  return kindOf(step.node).ready(turn, index);
}

function hasFailed({ ledger, state }: Turn): boolean {
  return state.cancel === undefined && (ledger.failures > 0 || state.reason === 'RunTimeout');
}

function afterFalse({ ledger }: Turn, { node, dependsOn }: TopologyStep): StepEnd {
  const ends = dependsOn
    .filter((index) => isFinal(ledger.of(index).phase))
    .map((index) => `${ledger.step(index).node.name} is ${ledger.of(index).phase}`);
  const named = ends.length > NAMED ? [...ends.slice(0, NAMED), `${ends.length - NAMED} more`] : ends;
  const message = `${conditionText(node.depends!)} does not hold: ${named.join(', ')}`;
  return { phase: 'Skipped', reason: 'AfterFalse', message };
}

const NAMED = 3;

const noFailure = { phase: 'Skipped', reason: 'NoFailure', message: 'the run did not fail' } as const;

/** The end of a step that could have run, had not another one failed. */
export const runFailing = {
  phase: 'Skipped',
  reason: 'RunFailing',
  message: 'another step failed before it could start',
} as const;
