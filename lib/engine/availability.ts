import { outputsRead } from '../graph/condition-reads.ts';
import { describeSource } from '../graph/pod-sources.ts';
import type { StepNode } from '../graph/graph.ts';
import type { ValueSource } from '../graph/value-source.ts';
import { partsOf, stepSources } from '../graph/sources.ts';
import type { Blocked } from './edges.ts';
import { resolve, type Scope } from './resolve.ts';

/**
 * Why a step lacks a value that one of several sources should have given, although each of them may be missing. What is
 * demanded of single upstreams is known before, by the truth table of edges.
 */
export function lackedBy(step: StepNode, scope: Scope): Blocked | undefined {
  // A step that runs at the end of a run does without.
  if (step.role !== undefined) return undefined;
  const lacked =
    stepSources(step).find((source) => isLacking(source, scope)) ??
    readBy(step).find((source) => isLacking(source, scope));
  if (lacked === undefined) return undefined;
  return { phase: 'Skipped', reason: 'InputUnavailable', message: `there is no value for ${describeSource(lacked)}` };
}

/** The outputs that the condition of a step names in its text. */
function readBy({ when }: StepNode): ValueSource[] {
  if (when === undefined) return [];
  return when.steps.flatMap((step) => outputsRead(when.cel, step).map((output) => ({ step, output })));
}

/** Whether a value, or a part of it, is not there because steps did not run; not when they left it out. */
function isLacking(source: ValueSource, scope: Scope): boolean {
  if ('step' in source) return !('default' in source) && scope.lacks(source.step, source.output);
  if ('if' in source) return !scope.holds(source.if) || isLacking(source.then, scope);
  if (!('first' in source)) return partsOf(source).some((part) => isLacking(part, scope));
  if (source.default !== undefined) return false;
  const lacking = source.first.map((part) => isLacking(part, scope));
  return lacking.includes(true) && source.first.every((part, index) => lacking[index] || isNothing(part, scope));
}

// A null beside others says that the value may be left out, not that there is one.
function isNothing(source: ValueSource, scope: Scope): boolean {
  return 'value' in source ? source.value === null : resolve(source, scope) === undefined;
}
