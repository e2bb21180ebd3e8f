import type { IConstruct } from 'constructs';
import { CONTROLLER_NAME } from '../lib/graph/labels.ts';
import { mergeJobLayers, type JobLayer, type JobOverride, type MergedJob } from '../lib/pods/job-template.ts';
import type { LayerKind } from '../lib/pods/layer.ts';
import { jobLayerProblems } from '../lib/pods/runtime-job.ts';
import type { JobUse } from '../lib/pods/validate-job.ts';
import { InvalidError, type Problem } from '../lib/values/problems.ts';
import type { Shape } from '../lib/values/shape.ts';
import { clusterJobLayers } from './layers.ts';
import { fillJobInputs } from './task-values.ts';
import type { Task } from './task.ts';

/** A use of a task, as far as the Job around its pod goes. */
export interface JobOfUse {
  /** What uses it. */
  readonly scope: IConstruct;
  /** Without a Job, nothing is said of it but by mistake. */
  readonly runAs: 'Pod' | 'Job' | undefined;
  /** What the use changes, low to high. */
  readonly overrides: readonly { readonly job?: JobOverride | undefined }[];
  /** What it is that changes it. @default 'step override' */
  readonly kind?: LayerKind;
  /** What the use gives for an input of the task. */
  readonly given: (input: string) => unknown;
}

/** What the cluster, the task and a use of it say of the Job around its pod, low to high; policy holds wherever it stands. */
export function jobLayers(
  task: Task<Shape, Shape>,
  { scope, runAs, overrides, kind = 'step override', given }: JobOfUse,
): readonly JobLayer[] {
  const { job } = task.execution;
  const layers: readonly JobLayer[] = [
    ...(job ? [{ kind: 'task', source: task.node.path, job } as const] : []),
    ...overrides.flatMap(({ job: over }) => (over ? [{ kind, source: scope.node.path, job: over }] : [])),
  ];
  return [...(runAs === 'Job' ? clusterJobLayers(scope) : []), ...fillJobInputs(layers, task, given)];
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
  { runAs, ...use }: Omit<JobUse, 'controller'> & { readonly runAs: 'Pod' | 'Job' | undefined },
): Generator<Problem> {
  if (layers.length === 0) return;
  if (runAs !== 'Job')
    yield { path: 'job', message: 'is set, and the step runs as a Pod', fix: "set runAs: 'Job', or leave it out" };
  yield* jobLayerProblems(layers, { ...use, controller: CONTROLLER_NAME });
}
