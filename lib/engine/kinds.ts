import type { StepNode } from '../graph/graph.ts';
import type { Instant, StepRecord } from './record.ts';
import type { StepReason } from './reasons.ts';
import { taskStep } from './task-step.ts';
import type { Sighting, Turn } from './turn.ts';

/** The rules of a kind of step. They change the step's record, add commands, and touch no other step. */
export interface StepKind {
  /** Starts the step, or the next attempt at it. It is waiting, and there is room. */
  start(turn: Turn, index: number): void;
  /** Takes in what was seen of one of its attempts. Anything that is late or repeated must change nothing. */
  observe(turn: Turn, sighting: Sighting): void;
  /** Asks for the end of what runs. */
  stop(turn: Turn, index: number, reason: StepReason): void;
  /** Says again what may have been lost with the shell it was said to. */
  repeat(turn: Turn, index: number): void;
  /** Does what {@link StepKind.due} named the time of. */
  expire(turn: Turn, index: number): void;
  /** When the step must be looked at although nothing was observed: the earliest of its waits and timeouts. */
  due(node: StepNode, record: StepRecord): Instant | undefined;
}

const kinds: { readonly [Kind in StepNode['kind']]: StepKind } = { task: taskStep };

/** The rules of a step. */
export function kindOf(node: StepNode): StepKind {
  return kinds[node.kind];
}

/** {@link StepKind.due}, for a step of any kind. */
export function dueOf(node: StepNode, record: StepRecord): Instant | undefined {
  return kindOf(node).due(node, record);
}
