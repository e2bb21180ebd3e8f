import { answerKey, isAnswerable, TIME_FIX, type AnswerableStep } from '../graph/gate-rules.ts';
import { answerPrefixes } from '../graph/labels.ts';
import type { Topology } from '../graph/topology.ts';
import { instantIn } from '../values/instant.ts';
import { isJsonObject, type Json, type JsonObject } from '../values/json.ts';
import { show, suggest, type Problem } from '../values/problems.ts';
import { checkValue } from '../values/schema.ts';
import type { Instant } from './record.ts';

/** What somebody said to a gate: to an approval whether it is `approved`, to an input its `value`. */
export interface Answer {
  readonly approved?: boolean;
  readonly value?: Json;
  /** Who says it, by their own word. */
  readonly by?: string;
  readonly at?: Instant;
  readonly comment?: string;
}

/** Answers by step. */
export type Answers = Readonly<Record<string, Answer>>;

/** The answers in the annotations of a run's Job, and what is passed over: anybody may have written there. */
export function readAnswers(
  annotations: Readonly<Record<string, string>>,
  { byName, steps }: Topology,
): { readonly answers: Answers; readonly problems: readonly Problem[] } {
  const answers: [string, Answer][] = [];
  const problems: Problem[] = [];
  for (const [key, text] of Object.entries(annotations)) {
    const prefix = Object.values(answerPrefixes).find((each) => key.startsWith(each));
    if (prefix === undefined) continue;
    const node = byName.get(key.slice(prefix.length))?.node;
    if (node === undefined || !isAnswerable(node) || answerKey(node) !== key) {
      const known = steps.flatMap(({ node: step }) => (isAnswerable(step) ? [answerKey(step)] : []));
      const fix = suggest(key, known);
      problems.push({ path: key, message: 'is for no step that waits for it', ...(fix !== undefined && { fix }) });
      continue;
    }
    const read = readAnswer(node, text);
    if ('problems' in read) problems.push(...read.problems);
    else answers.push([node.name, read.answer]);
  }
  return { answers: Object.fromEntries(answers), problems };
}

/**
 * The answer to a gate in the text of its annotation: an object with `approved` or `value` and, if it is known, `by`, `at` and
 * `comment`. For an approval, `true` or `false` is enough.
 */
export function readAnswer(
  step: AnswerableStep,
  text: string,
): { readonly answer: Answer } | { readonly problems: readonly Problem[] } {
  const path = answerKey(step);
  const isApproval = step.gate.waitsFor === 'approval';
  const parsed = parse(text);
  const given = isApproval && typeof parsed === 'boolean' ? { approved: parsed } : parsed;
  const field = isApproval ? 'approved' : 'value';
  if (!isJsonObject(given) || !Object.hasOwn(given, field))
    return {
      problems: [
        {
          path,
          message: `is ${show(text)}`,
          fix: isApproval ? 'set it to true or false' : 'set it to {"value": ...}',
        },
      ],
    };
  const { by, at, comment } = given as JsonObject;
  const problems: Problem[] = [];
  const textual = (value: Json | undefined) => value === undefined || typeof value === 'string';
  if (!textual(by)) problems.push({ path: `${path}: by`, message: `must be a string, not ${show(by)}` });
  if (!textual(comment)) problems.push({ path: `${path}: comment`, message: `must be a string, not ${show(comment)}` });
  if (at !== undefined && instantIn(at) === undefined)
    problems.push({ path: `${path}: at`, message: `${show(at)} is no time`, fix: TIME_FIX });
  const value = given[field]!;
  const schema = isApproval ? { type: 'boolean' } : (step.outputs?.properties.value ?? {});
  problems.push(...checkValue(schema, value, `${path}: ${field}`));
  if (problems.length > 0) return { problems };
  const answer: Answer = {
    [field]: value,
    ...(by !== undefined && { by: by as string }),
    ...(at !== undefined && { at: instantIn(at)! }),
    ...(comment !== undefined && { comment: comment as string }),
  };
  return { answer };
}

/** An answer as the text of its annotation. */
export function answerText({ at, ...answer }: Answer): string {
  return JSON.stringify({ ...answer, ...(at !== undefined && { at: new Date(at).toISOString() }) });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
