import { readSeconds, TIME_FIX } from '../graph/gate-rules.ts';
import type { Gate, GateStep } from '../graph/graph.ts';
import { instantIn } from '../values/instant.ts';
import type { JsonObject } from '../values/json.ts';
import { show } from '../values/problems.ts';
import type { Answer } from './answers.ts';
import type { StepKind } from './kinds.ts';
import { ended, type StepEnd } from './phases.ts';
import type { Instant, StepRecord } from './record.ts';
import type { StepReason } from './reasons.ts';
import { resolve } from './resolve.ts';
import { scopeOf } from './scope.ts';
import { spanText } from './span.ts';
import type { Turn } from './turn.ts';

/** A step that waits for an answer or for a time. What it waits until is in its record, so that a crash changes nothing. */
export const gateStep: StepKind = { ready, answer, expire, due, explain, fits };

const reasons: Readonly<Record<Gate['waitsFor'], StepReason>> = {
  approval: 'WaitingForApproval',
  input: 'WaitingForInput',
  sleep: 'Sleeping',
  time: 'WaitingForTime',
};

function ready(turn: Turn, index: number): StepRecord {
  const { now } = turn;
  const node = nodeAt(turn, index);
  const { gate } = node;
  const opens = opensAt(turn, node, now);
  if ('problem' in opens)
    return {
      phase: 'Failed',
      reason: 'GateError',
      message: opens.problem,
      attempts: [],
      readyAt: now,
      finishedAt: now,
    };
  const message = 'message' in gate && gate.message ? resolve(gate.message, scopeOf(turn)) : undefined;
  const until = Math.min(opens.at, timeoutAt(node, now));
  const waiting: StepRecord = {
    phase: 'Waiting',
    reason: reasons[gate.waitsFor],
    ...(message !== undefined && { message: String(message) }),
    attempts: [],
    readyAt: now,
    ...(until < Infinity && { until }),
  };
  const given = answerTo(turn, node);
  return given === undefined ? waiting : ended(waiting, answered(given, now), now);
}

/** When a gate opens by itself, by what it was told. */
function opensAt(
  turn: Turn,
  { gate }: GateStep,
  readyAt: Instant,
): { readonly at: Instant } | { readonly problem: string } {
  if (gate.waitsFor === 'sleep') {
    const given = resolve(gate.seconds, scopeOf(turn));
    const seconds = readSeconds(given);
    if (seconds === undefined) return { problem: `cannot sleep ${show(given)}: it is no number of seconds from 0` };
    return { at: later(readyAt, seconds) };
  }
  if (gate.waitsFor === 'time') {
    const given = resolve(gate.until, scopeOf(turn));
    const at = instantIn(given);
    return at === undefined ? { problem: `cannot wait until ${show(given)}: it is no time; ${TIME_FIX}` } : { at };
  }
  return { at: Infinity };
}

function timeoutAt({ timeoutSeconds }: GateStep, readyAt: Instant): Instant {
  return timeoutSeconds === undefined ? Infinity : later(readyAt, timeoutSeconds);
}

/** The last time that JavaScript's dates can tell. */
const LAST: Instant = 8.64e15;

function later(from: Instant, seconds: number): Instant {
  return Math.min(LAST, Math.ceil(from + seconds * 1000));
}

function answerTo({ spec: { answers = {} } }: Turn, { name }: GateStep): Answer | undefined {
  return Object.hasOwn(answers, name) ? answers[name] : undefined;
}

function answer(turn: Turn, index: number): void {
  const given = answerTo(turn, nodeAt(turn, index));
  if (given !== undefined) turn.ledger.put(index, ended(turn.ledger.of(index), answered(given, turn.now), turn.now));
}

/** The end of a gate that was answered. Who knows no better says when it was heard, and nobody is nobody in particular. */
function answered({ approved, value, by, at, comment }: Answer, now: Instant): StepEnd {
  const who = by === undefined ? '' : ` by ${by}`;
  const why = comment === undefined ? '' : `: ${comment}`;
  if (approved === false) return { phase: 'Failed', reason: 'ApprovalDenied', message: `denied${who}${why}` };
  if (approved === true)
    return opened(`approved${who}${why}`, { approvedBy: by ?? 'unknown', approvedAt: isoTime(at ?? now) });
  return opened(`given${who}${why}`, { value: value! });
}

function opened(message: string | undefined, outputs?: JsonObject): StepEnd {
  return { phase: 'Succeeded', reason: 'Completed', ...(message && { message }), ...(outputs && { outputs }) };
}

function expire(turn: Turn, index: number): void {
  const record = turn.ledger.of(index);
  const node = nodeAt(turn, index);
  const readyAt = record.readyAt ?? turn.now;
  const opens = opensAt(turn, node, readyAt);
  const inTime = 'at' in opens && opens.at <= timeoutAt(node, readyAt);
  turn.ledger.put(index, ended(record, inTime ? opened(undefined) : timedOut(node, turn.now), turn.now));
}

function timedOut({ gate, timeoutSeconds }: GateStep, now: Instant): StepEnd {
  const late = `${isAnswered(gate) ? 'no answer' : 'its time did not come'} in ${timeoutSeconds} s`;
  if (gate.default === undefined) return { phase: 'Failed', reason: 'GateTimeout', message: late };
  if (gate.default === 'deny' && gate.waitsFor === 'approval')
    return { phase: 'Failed', reason: 'ApprovalDenied', message: `denied by default: ${late}` };
  const end = { phase: 'Succeeded', reason: 'DefaultTaken' } as const;
  if (gate.waitsFor === 'approval')
    return {
      ...end,
      message: `approved by default: ${late}`,
      outputs: { approvedBy: 'default', approvedAt: isoTime(now) },
    };
  if (gate.waitsFor === 'input')
    return { ...end, message: `given by default: ${late}`, outputs: { value: gate.default } };
  return { ...end, message: `went on by default: ${late}` };
}

function due(_: GateStep, { phase, until }: StepRecord): Instant | undefined {
  return phase === 'Waiting' ? until : undefined;
}

/** A record that somebody edited must not make it wait for ever, nor for an attempt. */
function fits(node: GateStep, { phase, attempts, until }: StepRecord): boolean {
  const needsTime = !isAnswered(node.gate) || node.timeoutSeconds !== undefined;
  return attempts.length === 0 && (phase !== 'Waiting' || !needsTime || until !== undefined);
}

function explain(
  { gate, timeoutSeconds }: GateStep,
  { message, until, readyAt = 0 }: StepRecord,
  now: Instant,
): string {
  const left = until === undefined ? '' : spanText(now, until);
  const timesOut = until !== undefined && until === timeoutAt({ timeoutSeconds } as GateStep, readyAt);
  const then = !timesOut
    ? ''
    : gate.default === undefined
      ? `; fails in ${left} without`
      : `; ${JSON.stringify(gate.default)} by default in ${left}`;
  if (gate.waitsFor === 'sleep') return timesOut ? `sleeps${then}` : `sleeps for another ${left}`;
  if (gate.waitsFor === 'time')
    return timesOut ? `waits for its time${then}` : `waits until ${isoTime(until ?? now)}, for another ${left}`;
  const what = gate.waitsFor === 'approval' ? 'approval' : 'an input';
  return `waits for ${what}${message === undefined ? '' : ` (${message})`}${then}`;
}

function isAnswered({ waitsFor }: Gate): boolean {
  return waitsFor === 'approval' || waitsFor === 'input';
}

const isoTime = (at: Instant) => new Date(at).toISOString();
const nodeAt = (turn: Turn, index: number) => turn.ledger.step(index).node as GateStep;
