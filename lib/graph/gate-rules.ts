import { isJsonObject } from '../values/json.ts';
import { instantIn } from '../values/instant.ts';
import { show, type Problem } from '../values/problems.ts';
import { checkValue, describeType } from '../values/schema.ts';
import type { Gate, GateStep, StepNode } from './graph.ts';
import type { ValueSource } from './value-source.ts';
import { answerPrefixes } from './labels.ts';
import { describeSource } from './pod-sources.ts';
import { isOneOf, isSource, misfits, type ExpectedFields } from './shapes.ts';
import type { StepRules } from './step-kinds.ts';

/** What the graph must know of a step that waits for an answer or for a time. */
export const gateRules: StepRules<GateStep> = {
  *sources({ gate }) {
    if ('message' in gate && gate.message !== undefined) yield ['message', gate.message];
    if (gate.waitsFor === 'sleep') yield ['seconds', gate.seconds];
    if (gate.waitsFor === 'time') yield ['until', gate.until];
  },
  replace: (step, { source }) => {
    const { gate } = step;
    if (gate.waitsFor === 'sleep') return { ...step, gate: { ...gate, seconds: source(gate.seconds) } };
    if (gate.waitsFor === 'time') return { ...step, gate: { ...gate, until: source(gate.until) } };
    return gate.message === undefined ? step : { ...step, gate: { ...gate, message: source(gate.message) } };
  },
  *misfits({ gate }) {
    const kind = isJsonObject(gate) ? fields[gate.waitsFor as Gate['waitsFor']] : undefined;
    if (kind === undefined) yield { field: 'gate', expected: 'what a gate waits for' };
    else for (const { field, expected } of misfits(gate as never, kind)) yield { field: `gate.${field}`, expected };
  },
  problems,
  shape: 'pill',
  caption: ({ gate, outputs }) => {
    if (gate.waitsFor === 'approval') return 'waits for approval';
    if (gate.waitsFor === 'input') return `waits for input (${describeType(outputs?.properties.value ?? {})})`;
    return gate.waitsFor === 'sleep' ? `sleeps ${textOf(gate.seconds)} s` : `waits until ${textOf(gate.until)}`;
  },
  describe: (step) => `gate: ${gateRules.caption(step)}`,
};

const message = ['a value source', isSource, 'optional'] as const;
const continues = ['"continue"', isOneOf('continue'), 'optional'] as const;
const fields: Readonly<Record<Gate['waitsFor'], ExpectedFields>> = {
  approval: { message, default: ['"approve" or "deny"', isOneOf('approve', 'deny'), 'optional'] },
  input: { message },
  sleep: { seconds: ['a value source', isSource], default: continues },
  time: { until: ['a value source', isSource], default: continues },
};

/** A gate that somebody opens. */
export function isAnswerable(step: StepNode): step is AnswerableStep {
  return step.kind === 'gate' && (step.gate.waitsFor === 'approval' || step.gate.waitsFor === 'input');
}

/** A step that waits for somebody's answer. */
export interface AnswerableStep extends GateStep {
  readonly gate: Extract<Gate, { readonly waitsFor: 'approval' | 'input' }>;
}

/** The annotation that opens a gate. */
export function answerKey({ name, gate }: AnswerableStep): string {
  return `${answerPrefixes[gate.waitsFor]}${name}`;
}

function* problems(step: GateStep, at: string): Generator<Problem> {
  const { gate, timeoutSeconds, outputs } = step;
  if (isAnswerable(step)) {
    const key = answerKey(step);
    // What follows the slash of an annotation has 63 characters at most.
    const over = key.length - key.indexOf('/') - 1 - 63;
    if (over > 0)
      yield {
        path: at,
        message: `the step name ${show(step.name)} has ${step.name.length} characters; at most ${step.name.length - over} fit the annotation that opens it`,
        fix: 'choose a shorter one',
      };
  }
  if (timeoutSeconds !== undefined && !(timeoutSeconds > 0))
    yield { path: `${at}.timeoutSeconds`, message: `must be more than 0, not ${timeoutSeconds}` };
  if (gate.default !== undefined && timeoutSeconds === undefined)
    yield { path: `${at}.default`, message: 'is never taken', fix: 'set a timeout, after which it is' };
  if (gate.waitsFor === 'input' && gate.default !== undefined)
    yield* checkValue(outputs?.properties.value ?? {}, gate.default, `${at}.default`);
  if (gate.waitsFor === 'sleep' && 'value' in gate.seconds && readSeconds(gate.seconds.value) === undefined)
    yield { path: `${at}.seconds`, message: `${show(gate.seconds.value)} is no number of seconds from 0` };
  if (gate.waitsFor === 'time' && 'value' in gate.until && instantIn(gate.until.value) === undefined)
    yield { path: `${at}.until`, message: `${show(gate.until.value)} is no time`, fix: TIME_FIX };
}

export const TIME_FIX = 'write it as 2026-01-31T18:00:00Z, with its zone';

/** A number of seconds, or nothing when the value is none. */
export function readSeconds(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined;
}

function textOf(source: ValueSource): string {
  return 'value' in source ? String(source.value) : describeSource(source);
}
