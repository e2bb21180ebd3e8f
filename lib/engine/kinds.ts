import type { StepNode } from '../graph/graph.ts';
import { gateStep } from './gate-step.ts';
import { beginStep, groupStep } from './group-step.ts';
import type { Instant, StepRecord } from './record.ts';
import type { StepReason } from './reasons.ts';
import { indexedMapStep } from './indexed-map-step.ts';
import { mapStep } from './map-step.ts';
import { serviceStep } from './service-step.ts';
import { taskStep } from './task-step.ts';
import type { Sighting, Turn } from './turn.ts';

/**
 * The rules of a kind of step. They say what becomes of the step's record, add commands, and touch no other step. What the
 * graph must know of a kind is in `lib/graph/step-kinds.ts`.
 */
export interface StepKind {
  /** What becomes of the step once it may run: it waits, for room or for what its kind waits for, or it ends at once. */
  ready(turn: Turn, index: number): StepRecord;
  /** Does what {@link StepKind.due} named the time of. */
  expire(turn: Turn, index: number): void;
  /** When the step must be looked at although nothing was observed: the earliest of its waits and timeouts. */
  due(node: StepNode, record: StepRecord): Instant | undefined;
  /** Something has happened to the items of the step, to the steps that need it, or to the run: see what follows. Left out for kinds without these. */
  stir?(turn: Turn, index: number): void;
  /** Takes in that somebody has answered, where the step is waiting. Left out for kinds that nobody answers. */
  answer?(turn: Turn, index: number): void;
  /** What a waiting step waits for, in a sentence, where the kind knows more than its reason tells. */
  explain?(node: StepNode, record: StepRecord, now: Instant): string;
  /** Whether a record that was read can be one of such a step; another is forgotten. Left out, any can. */
  fits?(node: StepNode, record: StepRecord): boolean;
  /** How a kind runs what it runs. A kind without runs nothing: it takes no room, and shells never hear of its steps. */
  readonly attempts?: AttemptRules;
}

/** The rules of a kind whose steps are attempts that a shell starts, observes and stops. */
export interface AttemptRules {
  /** Starts the step, or the next attempt at it. It is waiting, and there is room. */
  start(turn: Turn, index: number): void;
  /** Takes in what was seen of its live attempt, or of one that begins now, where the step waits. Anything that is late or repeated must change nothing. */
  observe(turn: Turn, sighting: Sighting): void;
  /** Asks for the end of what runs. */
  stop(turn: Turn, index: number, reason: StepReason): void;
  /** Says again what may have been lost with the shell it was said to. */
  repeat(turn: Turn, index: number): void;
}

const kinds: { readonly [Kind in StepNode['kind']]: StepKind } = {
  task: taskStep,
  map: mapStep,
  indexedMap: indexedMapStep,
  service: serviceStep,
  run: taskStep,
  gate: gateStep,
  begin: beginStep,
  group: groupStep,
};

/** The rules of a step. */
export function kindOf(node: StepNode): StepKind {
  return kinds[node.kind];
}

/** {@link StepKind.due}, for a step of any kind. */
export function dueOf(node: StepNode, record: StepRecord): Instant | undefined {
  return kindOf(node).due(node, record);
}

/** Whether a step only lacks room for its next attempt. */
export function lacksRoom(node: StepNode, { phase, reason }: StepRecord): boolean {
  return phase === 'Waiting' && !waitsForMore.has(reason) && kindOf(node).attempts !== undefined;
}

const waitsForMore: ReadonlySet<StepReason> = new Set(['Backoff', 'CheckingCache', 'ServiceNotReady']);

/** {@link StepKind.fits}, for a step of any kind. */
export function fitsKind(node: StepNode, record: StepRecord): boolean {
  return kindOf(node).fits?.(node, record) ?? true;
}
