import type { GroupStep } from '../graph/graph.ts';
import type { StepKind } from './kinds.ts';
import { isFinal, type StepEnd } from './phases.ts';
import type { StepRecord } from './record.ts';
import { resolveAll } from './resolve.ts';
import { failureOf } from './run-end.ts';
import { scopeOf } from './scope.ts';
import type { Turn } from './turn.ts';

/** Where a workflow begins that is part of another: once it may, it has. */
export const beginStep: StepKind = {
  ready: ({ now }) => over({ phase: 'Succeeded', reason: 'Completed' }, now),
  expire: () => undefined,
  due: () => undefined,
  fits,
};

/** A step that stands for others: it ends when they have, as a run of theirs would have. */
export const groupStep: StepKind = {
  ready: (turn, index) => over(endOfGroup(turn, turn.ledger.step(index).node as GroupStep), turn.now),
  expire: () => undefined,
  due: () => undefined,
  fits,
};

function over(end: StepEnd, now: number): StepRecord {
  return { ...end, attempts: [], readyAt: now, finishedAt: now };
}

function endOfGroup(turn: Turn, group: GroupStep): StepEnd {
  const { ledger } = turn;
  const records = group.steps.flatMap((name) => {
    const index = ledger.find(name);
    return index === undefined ? [] : [{ name, index, record: ledger.of(index) }];
  });
  const begin = records.find(({ name }) => name === group.begin)?.record;
  if (begin !== undefined && begin.phase !== 'Succeeded') {
    const { phase, reason, message } = begin;
    return { phase, reason, message };
  }
  const failed = records.filter(({ index }) => ledger.failsGroup(index, group));
  if (failed.length > 0) {
    const named = failed.slice(0, NAMED).map(({ name, record }) => `${name} (${failureOf(record)})`);
    const more = failed.length > NAMED ? ` and ${failed.length - NAMED} more` : '';
    return { phase: 'Failed', reason: 'StepsFailed', message: `${named.join(', ')}${more} failed` };
  }
  const cancelled = records.find(({ record }) => record.phase === 'Cancelled');
  if (cancelled !== undefined)
    return { phase: 'Cancelled', reason: 'UpstreamCancelled', message: `step ${cancelled.name} was cancelled` };
  const outputs = resolveAll(group.values, scopeOf(turn));
  return { phase: 'Succeeded', reason: 'Completed', ...(group.outputs && { outputs }) };
}

const NAMED = 3;

/** Nothing of it runs or waits, whatever somebody wrote into its record. */
function fits(_: unknown, { phase, attempts }: StepRecord): boolean {
  return attempts.length === 0 && (phase === 'Pending' || isFinal(phase));
}
