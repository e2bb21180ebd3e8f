import { CONTROLLER_NAME } from '../lib/graph/labels.ts';
import type { StepJob } from '../lib/graph/graph.ts';
import { validateManifest } from '../lib/manifests/validate.ts';
import { mergeJobLayers, type JobLayer, type ManagedJobField } from '../lib/pods/job-template.ts';
import { validateJob } from '../lib/pods/validate-job.ts';
import { MAIN_CONTAINER } from '../lib/pods/template.ts';
import { isJsonObject, type JsonObject } from '../lib/values/json.ts';
import { InvalidError, show, type Problem } from '../lib/values/problems.ts';
import type { Task, ExecutionSettings } from './task.ts';
import type { Shape } from '../lib/values/shape.ts';

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

/** What the task and the overrides of a use of it say of the Job around its pod, low to high. */
export function jobLayers(
  task: Task<Shape, Shape>,
  path: string,
  overrides: readonly ExecutionSettings[],
): readonly JobLayer[] {
  const { job } = task.execution;
  return [
    ...(job ? [{ kind: 'task', source: task.node.path, job } as const] : []),
    ...overrides.flatMap(({ job: over }) =>
      over ? [{ kind: 'step override', source: path, job: over } as const] : [],
    ),
  ];
}

/** The Job as the graph carries it; nothing when nobody says anything of it, or what they say cannot be merged. */
export function stepJob(layers: readonly JobLayer[]): StepJob | undefined {
  if (layers.length === 0) return undefined;
  try {
    return mergeJobLayers(layers) as StepJob;
  } catch (error) {
    if (error instanceof InvalidError) return undefined;
    throw error;
  }
}

/** What is wrong with the Job around a pod. */
export function* stepJobProblems(
  layers: readonly JobLayer[],
  { runAs, hasOutputs }: { readonly runAs: 'Pod' | 'Job' | undefined; readonly hasOutputs: boolean },
): Generator<Problem> {
  if (layers.length === 0) return;
  if (runAs !== 'Job')
    yield { path: 'job', message: 'is set, and the step runs as a Pod', fix: "set runAs: 'Job', or leave it out" };
  let job: JsonObject;
  try {
    job = mergeJobLayers(layers);
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    for (const problem of error.problems) yield { ...problem, path: `job.${problem.path}` };
    return;
  }
  const metadata = objectIn(job, 'metadata');
  const { template: _, ...spec } = objectIn(job, 'spec');
  const pod = { spec: { containers: [{ name: MAIN_CONTAINER, image: 'any' }] } };
  const manifest = { apiVersion: 'batch/v1', kind: 'Job', ...job, spec: { ...spec, template: pod } };
  const misfits = validateManifest(manifest);
  for (const { path, message, fix } of misfits)
    yield { path: `job.${path}`, message, ...(fix !== undefined && { fix }) };
  if (misfits.length === 0)
    for (const problem of validateJob(metadata, spec)) yield { ...problem, path: `job.${problem.path}` };
  for (const field of Object.keys(metadata))
    if (field !== 'labels' && field !== 'annotations')
      yield {
        path: `job.metadata.${field}`,
        message: "is not an author's to set",
        fix: 'set labels and annotations only',
      };
  for (const [field, fix] of Object.entries(managed))
    if (objectIn(job, 'spec')[field] !== undefined)
      yield { path: `job.spec.${field}`, message: "is not an author's to set", fix };
  if (spec.managedBy === CONTROLLER_NAME)
    yield {
      path: 'job.spec.managedBy',
      message: `is ${show(CONTROLLER_NAME)}, which would make the step a run`,
      fix: 'leave it out',
    };
  if (hasOutputs && Number(spec.completions) > 1 && spec.completionMode !== 'Indexed')
    yield {
      path: 'job.spec.completions',
      message: `is ${show(spec.completions)}, and it is not known which of the pods gives the outputs`,
      fix: "set completionMode: 'Indexed', and the pod of index 0 gives them",
    };
}

function objectIn(job: JsonObject, field: string): JsonObject {
  const value = job[field];
  return isJsonObject(value) ? value : {};
}
