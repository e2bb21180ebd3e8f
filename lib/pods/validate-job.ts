import { isJsonObject, type Json, type JsonObject } from '../values/json.ts';
import { labelValueProblem, qualifiedNameProblem } from '../values/names.ts';
import { show, type Problem } from '../values/problems.ts';
import { fieldStep, joinPath } from './path.ts';

/**
 * What Kubernetes would refuse of the Job around a pod, though its fields and their types are right, or take and never
 * finish. (pkg/apis/batch/validation: validateJobSpec, validatePodFailurePolicy)
 */
export function* validateJob(metadata: JsonObject, spec: JsonObject): Generator<Problem> {
  for (const field of ['labels', 'annotations'])
    for (const [key, value] of Object.entries(objectOf(metadata[field]))) {
      const wrong = qualifiedNameProblem(key) ?? (field === 'labels' ? labelValueProblem(String(value)) : undefined);
      const path = joinPath(`metadata.${field}`, fieldStep(key));
      if (wrong !== undefined) yield { path, message: `${show(`${key}=${String(value)}`)} ${wrong}`, fix: 'rename it' };
    }
  for (const field of ['completions', 'parallelism', 'activeDeadlineSeconds']) {
    const value = spec[field];
    if (typeof value === 'number' && value < 1)
      yield { path: `spec.${field}`, message: `must be at least 1, not ${value}`, fix: 'leave it out, or raise it' };
  }
  yield* oneOf(spec, 'spec', 'completionMode', ['NonIndexed', 'Indexed']);
  yield* oneOf(spec, 'spec', 'podReplacementPolicy', ['TerminatingOrFailed', 'Failed']);
  const { rules } = objectOf(spec.podFailurePolicy);
  for (const [place, rule] of (Array.isArray(rules) ? rules : []).entries())
    yield* validateRule(objectOf(rule), `spec.podFailurePolicy.rules[${place}]`);
}

function* validateRule(rule: JsonObject, path: string): Generator<Problem> {
  const { onExitCodes, onPodConditions } = rule;
  // FailIndex goes with a limit of retries for each index.
  yield* oneOf(rule, path, 'action', ['FailJob', 'Ignore', 'Count']);
  if ((onExitCodes === undefined) === (onPodConditions === undefined))
    yield {
      path,
      message: `has ${onExitCodes === undefined ? 'neither onExitCodes nor' : 'both onExitCodes and'} onPodConditions`,
      fix: 'give one of them',
    };
  if (onExitCodes === undefined) return;
  const codes = objectOf(onExitCodes);
  yield* oneOf(codes, `${path}.onExitCodes`, 'operator', ['In', 'NotIn']);
  const values: readonly Json[] = Array.isArray(codes.values) ? (codes.values as readonly Json[]) : [];
  if (values.length === 0 || (codes.operator === 'In' && values.includes(0)))
    yield {
      path: `${path}.onExitCodes.values`,
      message: `must be exit codes of failures, not ${show(values)}`,
      fix: 'give those of your program, such as [42]',
    };
}

function* oneOf(object: JsonObject, path: string, field: string, known: readonly string[]): Generator<Problem> {
  const value = object[field];
  if (typeof value === 'string' && !known.includes(value))
    yield { path: `${path}.${field}`, message: `must be ${known.join(' or ')}, not ${show(value)}` };
}

function objectOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
