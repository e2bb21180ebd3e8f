import { validateManifest } from '../manifests/validate.ts';
import { isJsonObject, type Json, type JsonObject } from '../values/json.ts';
import { labelValueProblem, qualifiedNameProblem } from '../values/names.ts';
import { show, type Problem } from '../values/problems.ts';
import type { ManagedJobField } from './job-template.ts';
import { fieldStep, joinPath } from './path.ts';
import { MAIN_CONTAINER } from './template.ts';

/** Who does what these fields would do. */
const managed: Readonly<Record<ManagedJobField, string>> = {
  template: "the pod is the step's podTemplate: move it there",
  backoffLimit: "attempts are the step's: set retries",
  backoffLimitPerIndex: "attempts are the step's: set retries",
  maxFailedIndexes: "attempts are the step's: set retries",
  selector: 'Kubernetes chooses it: leave it out',
  manualSelector: 'Kubernetes chooses the selector: leave it out',
  ttlSecondsAfterFinished: 'the Job goes with its run: set ttlAfterFinished of the plan or run',
};

/** The same of the Job of a map whose items are its indexes. */
const managedIndexed: Readonly<Record<string, string>> = {
  completions: 'it has an index for each item: leave it out',
  completionMode: "it is 'Indexed': leave it out",
  parallelism: 'set concurrency of the map',
  successPolicy: 'set minSuccesses or minSuccessRatio of the map',
  podReplacementPolicy: "with a podFailurePolicy, which this Job has, Kubernetes knows only 'Failed': leave it out",
};

/** Whether a field of the Job's spec is not for its author to set. */
export function isManagedJobField(field: string): boolean {
  return Object.hasOwn(managed, field);
}

/** Whose Job it is. */
export interface JobUse {
  /** Whether its pod gives outputs. */
  readonly hasOutputs: boolean;
  /** The name of our own controller, which must not look after it. */
  readonly controller: string;
  /** Whether it has an index for each item of a map. @default false */
  readonly indexed?: boolean;
  /** Places without a value that will have one. @default none */
  readonly unknown?: ReadonlySet<string>;
}

/** What is wrong with what an author says of the Job around a pod, by paths that begin with `job`. */
export function* jobProblems(job: JsonObject, use: JobUse): Generator<Problem> {
  for (const problem of problemsOf(job, use)) yield { ...problem, path: `job.${problem.path}` };
}

function* problemsOf(
  job: JsonObject,
  { hasOutputs, controller, indexed = false, unknown }: JobUse,
): Generator<Problem> {
  const metadata = objectOf(job.metadata);
  const { template: _, ...spec } = objectOf(job.spec);
  const pod = { spec: { containers: [{ name: MAIN_CONTAINER, image: 'any' }] } };
  const manifest = { apiVersion: 'batch/v1', kind: 'Job', ...job, spec: { ...spec, template: pod } };
  const misfits = validateManifest(manifest).filter(({ path }) => !unknown?.has(path));
  for (const { path, message, fix } of misfits) yield { path, message, ...(fix !== undefined && { fix }) };
  if (misfits.length === 0) yield* validateJob(metadata, spec, indexed);
  for (const field of Object.keys(metadata))
    if (field !== 'labels' && field !== 'annotations')
      yield { path: `metadata.${field}`, message: "is not an author's to set", fix: 'set labels and annotations only' };
  for (const [field, fix] of Object.entries(indexed ? { ...managed, ...managedIndexed } : managed))
    if (objectOf(job.spec)[field] !== undefined)
      yield { path: `spec.${field}`, message: "is not an author's to set", fix };
  if (spec.managedBy === controller)
    yield {
      path: 'spec.managedBy',
      message: `is ${show(controller)}, which would make the step a run`,
      fix: 'leave it out',
    };
  if (hasOutputs && !indexed && Number(spec.completions) > 1 && spec.completionMode !== 'Indexed')
    yield {
      path: 'spec.completions',
      message: `is ${show(spec.completions)}, and it is not known which of the pods gives the outputs`,
      fix: "set completionMode: 'Indexed', and the pod of index 0 gives them",
    };
}

/**
 * What Kubernetes would refuse of the Job around a pod, though its fields and their types are right, or take and never
 * finish. (pkg/apis/batch/validation: validateJobSpec, validatePodFailurePolicy)
 */
function* validateJob(metadata: JsonObject, spec: JsonObject, indexed: boolean): Generator<Problem> {
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
    yield* validateRule(objectOf(rule), `spec.podFailurePolicy.rules[${place}]`, indexed);
}

function* validateRule(rule: JsonObject, path: string, indexed: boolean): Generator<Problem> {
  const { onExitCodes, onPodConditions } = rule;
  // FailIndex goes with a limit of retries for each index.
  yield* oneOf(rule, path, 'action', ['FailJob', ...(indexed ? ['FailIndex'] : []), 'Ignore', 'Count']);
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
