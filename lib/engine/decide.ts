import { conditionText } from '../graph/end-condition.ts';
import type { ValueCondition } from '../graph/value-source.ts';
import type { TopologyStep } from '../graph/topology.ts';
import { lackedBy } from './availability.ts';
import { evaluateCondition } from './conditions.ts';
import { blockedBy } from './edges.ts';
import { kindOf } from './kinds.ts';
import { isFinal, type StepEnd } from './phases.ts';
import type { StepRecord } from './record.ts';
import type { Scope } from './resolve.ts';
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
  const scope = scopeOf(turn);
  const blocked = blockedBy(step, ledger.topology, (upstream) => ledger.of(upstream)) ?? lackedBy(step.node, scope);
  const { when } = step.node;
  if (blocked !== undefined) {
    // A step that would not run anyway misses nothing: so every step of an arm that is not taken ends alike.
    const isFalse = blocked.reason === 'InputUnavailable' && when !== undefined && isWhenFalse(turn, when, scope);
    return { ...(isFalse ? whenFalse(when) : blocked), ...end };
  }
  if (!ledger.holds(index)) return { ...afterFalse(turn, step), ...end };
  if (step.node.role === 'onFailure' && !hasFailed(turn)) return { ...noFailure, ...end };
  if (isTooLate(turn.state, step.node) && !exists) return { ...runFailing, ...end };
  if (when !== undefined) {
    const result = evaluateCondition(when, ledger.topology, scope);
    if ('error' in result) return { phase: 'Failed', reason: 'ConditionError', message: result.error, ...end };
    if (!result.holds) return { ...whenFalse(when), ...end };
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

function isWhenFalse({ ledger }: Turn, when: ValueCondition, scope: Scope): boolean {
  const result = evaluateCondition(when, ledger.topology, scope);
  return 'holds' in result && !result.holds;
}

function whenFalse({ cel }: ValueCondition) {
  return { phase: 'Skipped', reason: 'WhenFalse', message: `${cel} is false` } as const;
}

/** The end of a step that could have run, had not another one failed. */
export const runFailing = {
  phase: 'Skipped',
  reason: 'RunFailing',
  message: 'another step failed before it could start',
} as const;
