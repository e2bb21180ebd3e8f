import { CONTROLLER_NAME } from '../lib/graph/labels.ts';
import { mergeJobLayers, type JobLayer, type MergedJob } from '../lib/pods/job-template.ts';
import { jobProblems } from '../lib/pods/validate-job.ts';
import { InvalidError, type Problem } from '../lib/values/problems.ts';
import type { Shape } from '../lib/values/shape.ts';
import { fillJobInputs } from './task-values.ts';
import type { ExecutionSettings, Task } from './task.ts';

/**
 * What the task and the overrides of a use of it say of the Job around its pod, low to high.
 *
 * @param given what the use gives for an input of the task
 */
export function jobLayers(
  task: Task<Shape, Shape>,
  path: string,
  overrides: readonly ExecutionSettings[],
  given: (input: string) => unknown,
): readonly JobLayer[] {
  const { job } = task.execution;
  const layers: readonly JobLayer[] = [
    ...(job ? [{ kind: 'task', source: task.node.path, job } as const] : []),
    ...overrides.flatMap(({ job: over }) =>
      over ? [{ kind: 'step override', source: path, job: over } as const] : [],
    ),
  ];
  return fillJobInputs(layers, task, given);
}

/** The Job that layers make; nothing when there are none, or they cannot be merged. */
export function stepJob(layers: readonly JobLayer[]): MergedJob | undefined {
  if (layers.length === 0) return undefined;
  try {
    return mergeJobLayers(layers);
  } catch (error) {
    if (error instanceof InvalidError) return undefined;
    throw error;
  }
}

/** What is wrong with the Job around a pod, as far as it is known. The rest is looked at when the step starts. */
export function* stepJobProblems(
  layers: readonly JobLayer[],
  { runAs, hasOutputs }: { readonly runAs: 'Pod' | 'Job' | undefined; readonly hasOutputs: boolean },
): Generator<Problem> {
  if (layers.length === 0) return;
  if (runAs !== 'Job')
    yield { path: 'job', message: 'is set, and the step runs as a Pod', fix: "set runAs: 'Job', or leave it out" };
  let merged: MergedJob;
  try {
    merged = mergeJobLayers(layers);
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    for (const problem of error.problems) yield { ...problem, path: `job.${problem.path}` };
    return;
  }
  const { known, unknown, places } = merged;
  yield* jobProblems(known, {
    hasOutputs: hasOutputs && !places.has('spec.completionMode'),
    controller: CONTROLLER_NAME,
    unknown,
  });
}
