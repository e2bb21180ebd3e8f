import { InvalidError, type Problem } from '../values/problems.ts';
import { mergeJobLayers, type JobLayer, type MergedJob, type StepJob } from './job-template.ts';
import { layerName, type LayerKind } from './layer.ts';
import { runOverrideJobs } from './run-override.ts';
import type { RunLayers } from './runtime-template.ts';
import { jobProblems, type JobUse } from './validate-job.ts';

/** The Job around a step's pod as synth wrote it down, and the policy that holds over all that come later. */
export interface SynthesizedJob {
  readonly job?: StepJob | undefined;
  readonly policy?: JobLayer | undefined;
}

/** The layers of the Job around a step's pod that are known once it runs, low to high. */
export function runtimeJobLayers(
  step: string,
  { job, policy }: SynthesizedJob,
  { run, plan, jobOverride, runOverride }: RunLayers,
): readonly JobLayer[] {
  const ofPlan = plan === undefined ? ({ kind: 'run override', source: run } as const) : planOf(plan);
  return [
    ...(job ? [{ kind: 'task', source: `step ${step}`, job } as const] : []),
    ...(jobOverride ? [{ ...ofPlan, job: jobOverride }] : []),
    ...(runOverride ? runOverrideJobs(runOverride, step, run) : []),
    ...(policy ? [policy] : []),
  ];
}

const planOf = (source: string) => ({ kind: 'plan override', source }) as const;

/** Who is named in messages: those whom the author of a step may not know of. */
const named: ReadonlySet<LayerKind> = new Set(['cluster defaults', 'plan override', 'run override', 'cluster policy']);

/** What keeps layers from making a Job: what cannot be merged, what the policy excludes, and what makes no Job also without it. */
export function jobLayerProblems(layers: readonly JobLayer[], use: JobUse): readonly Problem[] {
  try {
    return mergedJobProblems(mergeJobLayers(layers), use);
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    const problems = error.problems.map((problem) => ({ ...problem, path: `job.${problem.path}` }));
    const free = layers.filter(({ kind }) => kind !== 'cluster policy');
    return free.length === layers.length ? problems : [...problems, ...jobLayerProblems(free, use)];
  }
}

/** What makes a merged Job none, as far as it is known, each with the layer that set the field. */
function mergedJobProblems({ known, unknown, places, origins }: MergedJob, use: JobUse): readonly Problem[] {
  const hasOutputs = use.hasOutputs && !places.has('spec.completionMode');
  return [...jobProblems(known, { ...use, hasOutputs, unknown })].map((problem) => {
    const layer = origins.layerOf(problem.path.slice('job.'.length));
    if (layer === undefined || !named.has(layer.kind)) return problem;
    return { ...problem, message: `${problem.message} (${layerName(layer)})` };
  });
}
